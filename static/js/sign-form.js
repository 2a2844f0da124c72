// The sign form: shows errors at once and in the language of the page, submits in the background, and keeps the input when
// the connection is lost. Without this script the browser and the server validate.

import { restoreDraft } from "./public.js";
import { initShare } from "./share.js";

const REQUEST_TIMEOUT = 30_000; // milliseconds
const MAX_ATTEMPTS = 3; // while the server is busy
const MAX_RETRY_AFTER = 10; // seconds; for longer than that, nobody is kept waiting

const form = document.querySelector("[data-sign-form]");
const summary = form.querySelector(".form-error-summary");
const button = form.querySelector("[data-submit]");
const texts = form.dataset;

form.noValidate = true; // errors are shown below, in the language of the page
setReferralFields();
restoreDraft(form);
suggestLikelyCountries();
showSignatureName();
form.addEventListener("submit", submit);
form.addEventListener("input", clearFixedError);
form.elements.email.addEventListener("focus", loadEmailSuggestions, { once: true });
form.elements.email.addEventListener("change", () => afterPointerRelease(showEmailSuggestion));
form.elements.given_name.addEventListener("input", showSignatureName);
addEventListener("pageshow", ({ persisted }) => persisted && setBusy(false));
if (!summary.hidden) summary.focus();

async function submit(event) {
  event.preventDefault();
  if (button.ariaBusy === "true") return; // a double click sends once
  if (showErrors(validationErrors())) return;
  setBusy(true);
  await send().finally(() => setBusy(false));
}

async function send() {
  await waitForBotCheck(form.querySelector("altcha-widget"));
  const page = await request(texts.signForm, {}).then((response) => response.text()).catch(() => null);
  const thanks = new DOMParser().parseFromString(page ?? "", "text/html").querySelector("[data-thanks]");
  if (!thanks) return showErrors({ form: [page === null ? texts.networkError : texts.serverError] }); // before the form is submitted
  const options = { method: "POST", body: new URLSearchParams(new FormData(form)), headers: { Accept: "application/json" } };
  const response = await request(form.action, options).catch(() => null);
  if (response?.status === 202) showThanks(thanks);
  else showErrors(response ? await readErrors(response) : { form: [texts.networkError] });
}

// If the bot check is on, wait until it has finished.
function waitForBotCheck(widget) {
  if (widget?.getState?.() !== "verifying") return null;
  return new Promise((done) => widget.addEventListener("statechange", done, { once: true }));
}

// Tries again while the server is busy, as it asks for (503, Retry-After), and not at the same moment as everyone else.
async function request(url, options) {
  for (let attempt = 1; ; attempt++) {
    const response = await fetch(url, { ...options, signal: AbortSignal.timeout(REQUEST_TIMEOUT) });
    const seconds = Number(response.headers.get("Retry-After"));
    if (response.status !== 503 || !seconds || seconds > MAX_RETRY_AFTER || attempt === MAX_ATTEMPTS) return response;
    await new Promise((done) => setTimeout(done, 1000 * seconds * (1 + Math.random())));
  }
}

// Returns the server's errors by field, and adds its tokens, which make the next attempt valid, to the form.
async function readErrors(response) {
  const { errors, tokens = {} } = await response.json().catch(() => ({ errors: { form: [texts.serverError] } }));
  for (const [name, value] of Object.entries(tokens)) {
    const field = form.elements[name] ?? form.appendChild(Object.assign(document.createElement("input"), { name, type: "hidden" }));
    field.value = value;
  }
  return errors;
}

function setBusy(isBusy) {
  button.ariaBusy = String(isBusy);
  button.dataset.label ??= button.textContent;
  button.textContent = isBusy ? texts.sendingLabel : button.dataset.label;
}

// Replaces the form with the thanks page, which has its own share links.
function showThanks(thanks) {
  const [title, heading] = [document.createElement("h2"), thanks.querySelector("h1")];
  title.append(...heading.childNodes);
  Object.assign(title, { id: "sign-title", className: "thanks-title", tabIndex: -1 });
  heading.replaceWith(title);
  const replaceForm = () => {
    document.querySelector("#share").remove();
    thanks.id = "share";
    form.closest("#sign").replaceChildren(thanks);
    initShare(thanks);
    title.focus();
    title.scrollIntoView({ block: "center" });
  };
  if (document.startViewTransition && !matchMedia("(prefers-reduced-motion: reduce)").matches) document.startViewTransition(replaceForm);
  else replaceForm();
}

function validationErrors() {
  const errors = {};
  for (const { name, validity, dataset } of form.elements) {
    if (validity?.valueMissing && dataset.requiredMessage) errors[name] = [dataset.requiredMessage];
    else if (validity?.patternMismatch) errors[name] = [dataset.invalidMessage];
  }
  return errors;
}

// Shows the errors beside their fields and in the summary; returns whether there are any.
function showErrors(errors) {
  for (const field of form.querySelectorAll("[aria-describedby]")) setFieldError(field, errors[field.name]?.[0]);
  const lines = Object.entries(errors).flatMap(([name, texts]) => texts.map((text) => summaryItem(name, text)));
  summary.querySelector("ul").replaceChildren(...lines);
  summary.hidden = !lines.length;
  if (lines.length) summary.focus();
  return lines.length > 0;
}

function setFieldError(field, error) {
  const message = document.getElementById(`${field.name}-error`);
  message.textContent = error ?? "";
  message.hidden = !error;
  if (error) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
}

function summaryItem(name, text) {
  const item = document.createElement("li");
  const field = form.elements[name];
  item.append(field ? Object.assign(document.createElement("a"), { href: `#${field.id}`, textContent: text }) : text);
  return item;
}

function clearFixedError({ target }) {
  if (target.getAttribute("aria-invalid") && target.validity.valid) setFieldError(target, null);
}

// Text that appears while the pointer is down moves the button away, and the click is lost.
function afterPointerRelease(callback) {
  if (form.matches(":active")) addEventListener("pointerup", () => setTimeout(callback), { once: true });
  else callback();
}

// Loaded when the field gets the focus; without it there are no suggestions.
function loadEmailSuggestions() {
  return import("./email-suggestions.js").catch(() => null);
}

async function showEmailSuggestion() {
  const [input, container] = [form.elements.email, form.querySelector("[data-email-suggestion]")];
  const suggestion = (await loadEmailSuggestions())?.suggestEmail(input.value);
  container.hidden = !suggestion;
  if (!suggestion) return;
  const suggestionButton = container.querySelector("button");
  suggestionButton.textContent = texts.suggestionTemplate.replace("{meant}", suggestion);
  suggestionButton.onclick = () => {
    input.value = suggestion;
    container.hidden = true;
    input.focus();
  };
}

// The page is the same bytes for everyone, so only the visitor's URL contains the referral.
function setReferralFields() {
  const query = new URLSearchParams(location.search);
  for (const name of ["ref", "via"]) form.elements[name].value ||= query.get(name) ?? query.get(`amp;${name}`) ?? "";
}

// Countries of the browser's languages come first in the list; none is preselected.
function suggestLikelyCountries() {
  const [country, likely] = [form.elements.country, form.querySelector("[data-likely-countries]")];
  for (const language of [...navigator.languages].reverse()) {
    const code = /^[a-z]{2,3}(?:-[A-Za-z]{4})?-([A-Z]{2})\b/.exec(language)?.[1];
    const option = code && country.querySelector(`option[value="${code}"]`);
    if (option) likely.prepend(option.parentNode === likely ? option : new Option(option.text, code));
  }
}

// Shows the typed name as the signature of the petition text.
function showSignatureName() {
  const signature = document.querySelector("[data-signature]");
  const name = form.elements.given_name.value.trim();
  signature.hidden = !name;
  signature.querySelector("[data-signature-name]").textContent = name;
}
