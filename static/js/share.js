// Sharing: orders the channels by device and language, adds the supporter's own message to the links, and counts shares
// that do not pass our server. Every link also works without this script.

const IS_PHONE = matchMedia("(pointer: coarse)").matches;
const HAS_SHARE_SHEET = Boolean(navigator.share);

initShare(document);
document.addEventListener("click", onClick);
document.addEventListener("input", updateShareLinks);

// Shows the controls that need JavaScript, and orders the channels.
export function initShare(root) {
  for (const button of root.querySelectorAll("[data-copy]")) button.hidden = false;
  for (const field of root.querySelectorAll("[data-share-message]")) field.readOnly = false; // without JavaScript the message would not be sent
  for (const share of root.querySelectorAll("[data-share]")) arrangeChannels(share);
}

// The share sheet comes first on a phone, and last on a desktop, where it offers fewer networks than our list.
function arrangeChannels(share) {
  const channels = [...share.querySelectorAll(".share-primary a, .share-channels a")];
  channels.sort((one, other) => relevance(other) - relevance(one));
  const sheet = share.querySelector("[data-native-share]");
  sheet.hidden = !HAS_SHARE_SHEET;
  if (HAS_SHARE_SHEET) IS_PHONE ? channels.unshift(sheet) : channels.push(sheet);
  share.querySelector(".share-primary").replaceChildren(channels.shift());
  share.querySelector(".share-channels").replaceChildren(...channels.map(listItem));
}

// Returns how relevant a channel is for the visitor's languages and device.
function relevance({ dataset: { homeLanguages = "", device } }) {
  const homeTags = homeLanguages.split(",").filter(Boolean);
  const isHome = navigator.languages.some((tag) => homeTags.some((of) => tag === of || tag.startsWith(`${of}-`)));
  return 2 * isHome - (device === "phone" && !IS_PHONE);
}

function listItem(channel) {
  const item = document.createElement("li");
  item.append(channel);
  return item;
}

// The supporter's own message is added to the networks' URLs here and never reaches our server.
function updateShareLinks({ target }) {
  if (!target.matches("[data-share-message]")) return;
  const isOwn = target.value !== target.defaultValue;
  for (const channel of document.querySelectorAll("[data-url-template]")) {
    channel.dataset.originalHref ??= channel.getAttribute("href");
    const personalHref = () => channel.dataset.urlTemplate.replace("{text}", () => encodeURIComponent(target.value));
    channel.setAttribute("href", isOwn ? personalHref() : channel.dataset.originalHref);
  }
}

function onClick(event) {
  const button = event.target.closest("[data-copy], [data-native-share], [data-opens-share-sheet], [data-original-href]");
  if (!button) return;
  const { copy, nativeShare, opensShareSheet, originalHref } = button.dataset;
  if (copy) copyField(document.getElementById(copy), button);
  else if (nativeShare) openShareSheet(button);
  else if (opensShareSheet !== undefined && HAS_SHARE_SHEET && IS_PHONE) openShareSheet(document.querySelector("[data-native-share]"), event);
  else if (originalHref && button.origin !== location.origin) sendCount(originalHref); // our own URL counts the share
}

async function openShareSheet({ dataset: { nativeShare: url, title, shareCountUrl: countUrl } }, event) {
  event?.preventDefault();
  const text = document.querySelector("[data-share-message]").value;
  const isShared = await navigator.share({ title, text, url }).then(() => true, () => false);
  if (isShared) sendCount(countUrl);
}

async function copyField(field, button) {
  field.select();
  if (button.dataset.shareCountUrl) sendCount(button.dataset.shareCountUrl);
  try {
    await navigator.clipboard.writeText(field.value);
    button.textContent = button.dataset.copiedLabel;
  } catch {
    field.focus(); // not allowed: the text stays selected, so that the visitor can copy it
  }
}

function sendCount(url) {
  navigator.sendBeacon?.(url);
}
