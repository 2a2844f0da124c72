// For every public page: quick exit, the language menu, and the live count.

const COUNT_SECONDS = 30;
const EXIT_KEY_PRESSES = 3; // in a row, each within a second of the previous one
const DRAFT_KEY = "typed"; // session storage: the form, for the page in another language
const DRAFT_MAX_AGE = 30; // seconds
const EXITED_KEY = "gone"; // session storage: quick exit was used in this tab

const storedDraft = takeItem(DRAFT_KEY); // every page removes it, so that no later page finds it
let initialCount; // the number that the text of this page was rendered for

initQuickExit(document.querySelector("[data-quick-exit]"));
initLanguageMenu(document.querySelector("[data-language-menu]"));
hideRedundantSignBar(document.querySelector(".sign-bar"), document.querySelectorAll("#sign, .film-intro .button"));
pollCount(document.querySelector("[data-count-url]"));
trackPageView(document.querySelector("[data-view-count-url]"));
document.addEventListener("click", followFragment);

// Fill in the form as it was on the page in another language.
export function restoreDraft(form) {
  const { at = 0, typed = [] } = JSON.parse(storedDraft ?? "{}");
  if (Date.now() - at > DRAFT_MAX_AGE * 1000) return;
  for (const [name, value] of typed) {
    const field = form.elements[name];
    if (field?.type === "checkbox") field.checked = true;
    else if (field && field.type !== "hidden") field.value = value;
  }
}

// Counts a page view when the visitor leaves, so that the request delays nothing. It does not identify the visitor.
function trackPageView(page) {
  const sendPageView = () => {
    if (document.visibilityState !== "hidden") return;
    document.removeEventListener("visibilitychange", sendPageView);
    navigator.sendBeacon?.(page.dataset.viewCountUrl, new URLSearchParams({ lang: document.documentElement.lang }));
  };
  if (page) document.addEventListener("visibilitychange", sendPageView);
}

function initQuickExit(link) {
  let [pressed, last] = [0, 0];
  const exitAgain = (isBack) => takeItem(EXITED_KEY) && isBack && exit(link.href);
  exitAgain(performance.getEntriesByType("navigation")[0]?.type === "back_forward");
  addEventListener("pageshow", ({ persisted }) => persisted && exitAgain(true));
  link.addEventListener("click", (event) => {
    event.preventDefault();
    exit(link.href);
  });
  addEventListener("keydown", ({ key, repeat, timeStamp }) => {
    if (repeat) return;
    pressed = key !== "Escape" ? 0 : timeStamp - last < 1000 ? pressed + 1 : 1;
    last = timeStamp;
    if (pressed === EXIT_KEY_PRESSES) exit(link.href);
  });
}

// Hides and silences the page at once, however long the other page takes to load, and replaces the history entry.
function exit(url) {
  document.documentElement.hidden = true;
  document.title = "…";
  for (const video of document.querySelectorAll("video")) video.pause();
  for (const form of document.forms) form.reset();
  for (const field of document.querySelectorAll("textarea")) field.value = field.defaultValue;
  for (const iframe of document.querySelectorAll("iframe")) iframe.remove();
  takeItem(DRAFT_KEY);
  clearLocalStorage();
  storeItem(EXITED_KEY, "1");
  location.replace(url);
}

// Stored data (the Mastodon instance) would reveal that this page was visited.
function clearLocalStorage() {
  try {
    localStorage.clear();
  } catch {
    // Storage is not allowed, so it is empty.
  }
}

function initLanguageMenu(menu) {
  menu.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link || opensNewTab(event)) return;
    event.preventDefault();
    const form = document.querySelector("[data-sign-form]");
    const typed = form ? [...new FormData(form)].filter(([, value]) => value) : [];
    if (typed.length) storeItem(DRAFT_KEY, JSON.stringify({ at: Date.now(), typed }));
    const target = new URL(link.href);
    for (const [name, value] of new URLSearchParams(location.search)) {
      if (!target.searchParams.has(name)) target.searchParams.set(name, value);
    }
    target.hash = currentSection();
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

// A visit is one entry in the tab's history, so that quick exit can replace it.
function followFragment(event) {
  const link = event.target.closest('a[href^="#"]');
  if (!link || event.defaultPrevented || opensNewTab(event)) return;
  event.preventDefault();
  location.replace(link.hash);
}

// Whether the link is opened in a new tab or window.
function opensNewTab({ ctrlKey, metaKey, shiftKey }) {
  return ctrlKey || metaKey || shiftKey;
}

// The id of the section that the visitor is reading.
function currentSection() {
  const parts = [...document.querySelectorAll("main [id]:is(section, form)")];
  return parts.findLast((part) => part.getBoundingClientRect().top < innerHeight / 2)?.id ?? "";
}

function storeItem(name, value) {
  try {
    sessionStorage.setItem(name, value);
  } catch {
    // Storage is not allowed: the text is lost when the language changes.
  }
}

function takeItem(name) {
  try {
    const value = sessionStorage.getItem(name);
    sessionStorage.removeItem(name);
    return value;
  } catch {
    return null;
  }
}

// The sign bar is hidden while the form or another link to it is visible.
function hideRedundantSignBar(bar, targets) {
  if (!bar) return;
  const visible = new Set();
  const observer = new IntersectionObserver((changes) => {
    for (const { target, isIntersecting } of changes) isIntersecting ? visible.add(target) : visible.delete(target);
    bar.toggleAttribute("data-redundant", visible.size > 0);
  });
  for (const target of targets) observer.observe(target);
}

function pollCount(counter) {
  if (!counter) return;
  setInterval(async () => {
    if (document.hidden) return;
    const response = await fetch(counter.dataset.countUrl).catch(() => null);
    if (response?.ok) showCount(await response.json());
  }, COUNT_SECONDS * 1000);
}

function showCount({ count, goal }) {
  const language = `${document.documentElement.lang}-u-nu-latn`;
  const [numbers, plurals] = [new Intl.NumberFormat(language), new Intl.PluralRules(language)];
  for (const bar of document.querySelectorAll("progress")) {
    initialCount ??= bar.value;
    const isSameForm = plurals.select(initialCount) === plurals.select(count); // otherwise the text needs another plural form
    [bar.max, bar.value] = [goal, count];
    for (const element of document.querySelectorAll("[data-count]")) if (isSameForm) element.textContent = numbers.format(count);
    for (const element of document.querySelectorAll("[data-goal]")) element.textContent = numbers.format(goal);
  }
}
