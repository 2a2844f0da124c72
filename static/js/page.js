// On every public page: the way out, languages that keep place and text, and the count that goes on.

const COUNT_SECONDS = 30;
const ESCAPES = 3; // so many in a row, each within a second of the one before
const TYPED = "typed"; // what is carried over to the page in another language
const CARRIED_SECONDS = 30;
const GONE = "gone"; // that somebody left quickly in this tab

const carried = taken(TYPED); // by every page, so that no later one finds it
let told; // the number that the words on this page were written for

leaving(document.querySelector("[data-leave]"));
changingLanguage(document.querySelector("[data-languages]"));
stayingQuiet(document.querySelector(".bar"), document.querySelectorAll("#sign, .film-words .button"));
counting(document.querySelector("[data-counting]"));
seen(document.querySelector("[data-opened]"));
document.addEventListener("click", goingWithin);

// Put back what was typed on the page in another language.
export function recall(form) {
  const { at = 0, typed = [] } = JSON.parse(carried ?? "{}");
  if (Date.now() - at > CARRIED_SECONDS * 1000) return;
  for (const [name, value] of typed) {
    const field = form.elements[name];
    if (field?.type === "checkbox") field.checked = true;
    else if (field && field.type !== "hidden") field.value = value;
  }
}

// Counts that the page was opened, as it is left, so that nothing loads later for it. Nothing that tells one visitor
// from another is sent.
function seen(page) {
  const tell = () => {
    if (document.visibilityState !== "hidden") return;
    document.removeEventListener("visibilitychange", tell);
    navigator.sendBeacon?.(page.dataset.opened, new URLSearchParams({ lang: document.documentElement.lang }));
  };
  if (page) document.addEventListener("visibilitychange", tell);
}

function leaving(link) {
  let [pressed, last] = [0, 0];
  const stayAway = (isBack) => taken(GONE) && isBack && leave(link.href);
  stayAway(performance.getEntriesByType("navigation")[0]?.type === "back_forward");
  addEventListener("pageshow", ({ persisted }) => persisted && stayAway(true));
  link.addEventListener("click", (event) => {
    event.preventDefault();
    leave(link.href);
  });
  addEventListener("keydown", ({ key, repeat, timeStamp }) => {
    if (repeat) return;
    pressed = key !== "Escape" ? 0 : timeStamp - last < 1000 ? pressed + 1 : 1;
    last = timeStamp;
    if (pressed === ESCAPES) leave(link.href);
  });
}

// Nothing is seen or heard from now on, and "back" does not stay here, however long the other page takes to come.
function leave(url) {
  document.documentElement.hidden = true;
  document.title = "…";
  for (const video of document.querySelectorAll("video")) video.pause();
  for (const form of document.forms) form.reset();
  for (const field of document.querySelectorAll("textarea")) field.value = field.defaultValue;
  for (const elsewhere of document.querySelectorAll("iframe")) elsewhere.remove();
  taken(TYPED);
  forgetDevice();
  keep(GONE, "1");
  location.replace(url);
}

// What is remembered on this device (the Mastodon instance) would tell of this page.
function forgetDevice() {
  try {
    localStorage.clear();
  } catch {
    // Not allowed here: then nothing is kept either.
  }
}

function changingLanguage(menu) {
  menu.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link || opensElsewhere(event)) return;
    event.preventDefault();
    const form = document.querySelector("[data-sign]");
    const typed = form ? [...new FormData(form)].filter(([, value]) => value) : [];
    if (typed.length) keep(TYPED, JSON.stringify({ at: Date.now(), typed }));
    const target = new URL(link.href);
    for (const [name, value] of new URLSearchParams(location.search)) {
      if (!target.searchParams.has(name)) target.searchParams.set(name, value);
    }
    target.hash = place();
    location.replace(target);
  });
  document.addEventListener("click", (event) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
  menu.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}

// A visit is one entry in the tab's history, which the way out can replace.
function goingWithin(event) {
  const link = event.target.closest('a[href^="#"]');
  if (!link || event.defaultPrevented || opensElsewhere(event)) return;
  event.preventDefault();
  location.replace(link.hash);
}

// Whether the link is asked for in a tab or window of its own.
function opensElsewhere({ ctrlKey, metaKey, shiftKey }) {
  return ctrlKey || metaKey || shiftKey;
}

// The part of the page that is being read.
function place() {
  const parts = [...document.querySelectorAll("main [id]:is(section, form)")];
  return parts.findLast((part) => part.getBoundingClientRect().top < innerHeight / 2)?.id ?? "";
}

function keep(name, value) {
  try {
    sessionStorage.setItem(name, value);
  } catch {
    // Not allowed here: then the text is not carried over.
  }
}

function taken(name) {
  try {
    const value = sessionStorage.getItem(name);
    sessionStorage.removeItem(name);
    return value;
  } catch {
    return null;
  }
}

// Where one signs, or sees another way there, the bar needs not lead there.
function stayingQuiet(bar, places) {
  if (!bar) return;
  const seen = new Set();
  const observer = new IntersectionObserver((changes) => {
    for (const { target, isIntersecting } of changes) isIntersecting ? seen.add(target) : seen.delete(target);
    bar.toggleAttribute("data-away", seen.size > 0);
  });
  for (const place of places) observer.observe(place);
}

function counting(counter) {
  if (!counter) return;
  setInterval(async () => {
    if (document.hidden) return;
    const answer = await fetch(counter.dataset.counting).catch(() => null);
    if (answer?.ok) show(await answer.json());
  }, COUNT_SECONDS * 1000);
}

function show({ count, goal }) {
  const language = `${document.documentElement.lang}-u-nu-latn`;
  const [numbers, plurals] = [new Intl.NumberFormat(language), new Intl.PluralRules(language)];
  for (const bar of document.querySelectorAll("progress")) {
    told ??= bar.value;
    const same = plurals.select(told) === plurals.select(count); // else the words beside it would be wrong
    [bar.max, bar.value] = [goal, count];
    for (const place of document.querySelectorAll("[data-count]")) if (same) place.textContent = numbers.format(count);
    for (const place of document.querySelectorAll("[data-goal]")) place.textContent = numbers.format(goal);
  }
}
