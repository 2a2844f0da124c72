// The form, made friendlier: what is wrong is said at once and in the page's words, sending goes on in place, and a lost
// connection loses nothing. Without this script the browser and the server do the same.

import { recall } from "./page.js";
import { reveal } from "./share.js";

const PATIENCE = 30_000; // milliseconds to wait for an answer

const form = document.querySelector("[data-sign]");
const summary = form.querySelector(".form-summary");
const button = form.querySelector("[data-send]");
const texts = form.dataset;

form.noValidate = true; // what the browser would say is said below, in the language of the page
rememberArrival();
recall(form);
offerLikelyCountries();
writeName();
form.addEventListener("submit", submit);
form.addEventListener("input", repair);
form.elements.email.addEventListener("focus", typos, { once: true });
form.elements.email.addEventListener("change", () => whenReleased(offerAddress));
form.elements.given_name.addEventListener("input", writeName);
addEventListener("pageshow", ({ persisted }) => persisted && busy(false));
if (!summary.hidden) summary.focus();

async function submit(event) {
  event.preventDefault();
  if (button.ariaBusy === "true") return; // a double click sends once
  if (complain(mistakes())) return;
  busy(true);
  await send().finally(() => busy(false));
}

async function send() {
  await checked(form.querySelector("altcha-widget"));
  const page = await request(texts.sign, {}).then((answer) => answer.text()).catch(() => null);
  const thanks = new DOMParser().parseFromString(page ?? "", "text/html").querySelector("[data-thanks]");
  if (!thanks) return complain({ form: [page === null ? texts.lost : texts.broken] }); // before anything is sent
  const sent = { method: "POST", body: new URLSearchParams(new FormData(form)), headers: { Accept: "application/json" } };
  const answer = await request(form.action, sent).catch(() => null);
  if (answer?.status === 202) show(thanks);
  else complain(answer ? await refusal(answer) : { form: [texts.lost] });
}

// Where the bot check is on, its work goes along.
function checked(widget) {
  if (widget?.getState?.() !== "verifying") return null;
  return new Promise((done) => widget.addEventListener("statechange", done, { once: true }));
}

function request(url, options) {
  return fetch(url, { ...options, signal: AbortSignal.timeout(PATIENCE) });
}

// What the server found, by field; the tokens with which it lets the same form pass the next time go into the form.
async function refusal(answer) {
  const { errors, tokens = {} } = await answer.json().catch(() => ({ errors: { form: [texts.broken] } }));
  for (const [name, value] of Object.entries(tokens)) {
    const field = form.elements[name] ?? form.appendChild(Object.assign(document.createElement("input"), { name, type: "hidden" }));
    field.value = value;
  }
  return errors;
}

function busy(is) {
  button.ariaBusy = String(is);
  button.dataset.label ??= button.textContent;
  button.textContent = is ? texts.sending : button.dataset.label;
}

// The answer in place of the form; it has its own links to share.
function show(thanks) {
  const [title, heading] = [document.createElement("h2"), thanks.querySelector("h1")];
  title.append(...heading.childNodes);
  Object.assign(title, { id: "sign-title", className: "thanks-title", tabIndex: -1 });
  heading.replaceWith(title);
  const swap = () => {
    document.querySelector("#share").remove();
    thanks.id = "share";
    form.closest("#sign").replaceChildren(thanks);
    reveal(thanks);
    title.focus();
    title.scrollIntoView({ block: "center" });
  };
  if (document.startViewTransition && !matchMedia("(prefers-reduced-motion: reduce)").matches) document.startViewTransition(swap);
  else swap();
}

function mistakes() {
  const found = {};
  for (const { name, validity, dataset } of form.elements) {
    if (validity?.valueMissing && dataset.missing) found[name] = [dataset.missing];
    else if (validity?.patternMismatch) found[name] = [dataset.invalid];
  }
  return found;
}

// Say what is wrong, beside each field and above all of them; returns whether there is anything.
function complain(errors) {
  for (const field of form.querySelectorAll("[aria-describedby]")) mark(field, errors[field.name]?.[0]);
  const lines = Object.entries(errors).flatMap(([name, texts]) => texts.map((text) => line(name, text)));
  summary.querySelector("ul").replaceChildren(...lines);
  summary.hidden = !lines.length;
  if (lines.length) summary.focus();
  return lines.length > 0;
}

function mark(field, error) {
  const place = document.getElementById(`${field.name}-error`);
  place.textContent = error ?? "";
  place.hidden = !error;
  if (error) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
}

function line(name, text) {
  const item = document.createElement("li");
  const field = form.elements[name];
  item.append(field ? Object.assign(document.createElement("a"), { href: `#${field.id}`, textContent: text }) : text);
  return item;
}

function repair({ target }) {
  if (target.getAttribute("aria-invalid") && target.validity.valid) mark(target, null);
}

// What appears while the pointer is down moves the button from under it, and the click is lost.
function whenReleased(act) {
  if (form.matches(":active")) addEventListener("pointerup", () => setTimeout(act), { once: true });
  else act();
}

// Only who writes an address needs it; without a connection there is no help, and no harm.
function typos() {
  return import("./typos.js").catch(() => null);
}

async function offerAddress() {
  const [typed, place] = [form.elements.email, form.querySelector("[data-hint]")];
  const better = (await typos())?.meant(typed.value);
  place.hidden = !better;
  if (!better) return;
  const offer = place.querySelector("button");
  offer.textContent = texts.typo.replace("{typed}", typed.value.split("@").pop()).replace("{meant}", better.split("@").pop());
  offer.onclick = () => {
    typed.value = better;
    place.hidden = true;
    typed.focus();
  };
}

// The page is the same bytes for everyone, so how somebody came stands in their own address alone.
function rememberArrival() {
  const arrival = new URLSearchParams(location.search);
  for (const name of ["ref", "via"]) form.elements[name].value ||= arrival.get(name) ?? arrival.get(`amp;${name}`) ?? "";
}

// Where the browser says it comes from stands first in the list; nothing is chosen for anybody.
function offerLikelyCountries() {
  const [country, likely] = [form.elements.country, form.querySelector("[data-likely]")];
  for (const language of [...navigator.languages].reverse()) {
    const code = /^[a-z]{2,3}(?:-[A-Za-z]{4})?-([A-Z]{2})\b/.exec(language)?.[1];
    const option = code && country.querySelector(`option[value="${code}"]`);
    if (option) likely.prepend(option.parentNode === likely ? option : new Option(option.text, code));
  }
}

// The letter is signed while one types.
function writeName() {
  const hand = document.querySelector("[data-hand]");
  const name = form.elements.given_name.value.trim();
  hand.hidden = !name;
  hand.querySelector("[data-hand-name]").textContent = name;
}
