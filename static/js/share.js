// Sharing, made handier: what suits this device and its languages comes first, a message of one's own goes along, and
// what has no address of ours is counted. Without this script every link works all the same.

const PHONE = matchMedia("(pointer: coarse)").matches;
const SHEET = Boolean(navigator.share);

reveal(document);
document.addEventListener("click", clicked);
document.addEventListener("input", rewritten);

// Show what works with JavaScript only, and put first what suits.
export function reveal(root) {
  for (const button of root.querySelectorAll("[data-copy]")) button.hidden = false;
  for (const field of root.querySelectorAll("[data-message]")) field.readOnly = false; // else it would not go along
  for (const share of root.querySelectorAll("[data-sharing]")) arrange(share);
}

// A phone's own share sheet comes first; those of desks are poorer than our list, so they stand at its end.
function arrange(share) {
  const ways = [...share.querySelectorAll(".share-first a, .share-channels a")];
  ways.sort((one, other) => fit(other) - fit(one));
  const sheet = share.querySelector("[data-sheet]");
  sheet.hidden = !SHEET;
  if (SHEET) PHONE ? ways.unshift(sheet) : ways.push(sheet);
  share.querySelector(".share-first").replaceChildren(ways.shift());
  share.querySelector(".share-channels").replaceChildren(...ways.map(listed));
}

// How well a way suits: where its network is at home, and on this kind of device.
function fit({ dataset: { home = "", device } }) {
  const homes = home.split(",").filter(Boolean);
  const isHome = navigator.languages.some((tag) => homes.some((of) => tag === of || tag.startsWith(`${of}-`)));
  return 2 * isHome - (device === "phone" && !PHONE);
}

function listed(way) {
  const item = document.createElement("li");
  item.append(way);
  return item;
}

// The supporter's own words are put into the networks' addresses here; they do not pass by our server.
function rewritten({ target }) {
  if (!target.matches("[data-message]")) return;
  const isOwn = target.value !== target.defaultValue;
  for (const way of document.querySelectorAll("[data-to]")) {
    way.dataset.ours ??= way.getAttribute("href");
    const to = () => way.dataset.to.replace("{text}", () => encodeURIComponent(target.value));
    way.setAttribute("href", isOwn ? to() : way.dataset.ours);
  }
}

function clicked(event) {
  const chosen = event.target.closest("[data-copy], [data-sheet], [data-shares], [data-ours]");
  if (!chosen) return;
  const { copy, sheet, shares, ours } = chosen.dataset;
  if (copy) copied(document.getElementById(copy), chosen);
  else if (sheet) opened(chosen);
  else if (shares !== undefined && SHEET && PHONE) opened(document.querySelector("[data-sheet]"), event);
  else if (ours && chosen.origin !== location.origin) count(ours); // our own address counts by itself
}

async function opened({ dataset: { sheet: url, title, count: counted } }, event) {
  event?.preventDefault();
  const text = document.querySelector("[data-message]").value;
  const isShared = await navigator.share({ title, text, url }).then(() => true, () => false);
  if (isShared) count(counted);
}

async function copied(field, button) {
  field.select();
  if (button.dataset.count) count(button.dataset.count);
  try {
    await navigator.clipboard.writeText(field.value);
    button.textContent = button.dataset.copied;
  } catch {
    field.focus(); // not allowed: the text stays selected, ready to be copied by hand
  }
}

function count(url) {
  navigator.sendBeacon?.(url);
}
