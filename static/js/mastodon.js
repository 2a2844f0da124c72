// Remembers the instance, only on this device, and opens it without sending us the message.

const STORAGE_KEY = "instance";
const HOST_PATTERN = /^(?:https?:\/\/)?(?:[^/\s]*@)?([^@/\s:]+\.[^@/\s:.]+)(?:[/:].*)?$/i; // as the server parses it

const form = document.querySelector("[data-mastodon-template]");
const { instance, text } = form.elements;

instance.value ||= storedInstance();
if (location.hash.length > 1) text.value = decodeURIComponent(location.hash.slice(1));

form.addEventListener("submit", (event) => {
  const host = HOST_PATTERN.exec(instance.value.trim())?.[1];
  if (!host) return; // the server explains the error
  event.preventDefault();
  storeInstance(instance.value.trim());
  const values = { instance: host, text: encodeURIComponent(text.value) };
  location.assign(form.dataset.mastodonTemplate.replace(/\{(instance|text)\}/g, (_all, name) => values[name]));
});

function storedInstance() {
  try {
    return localStorage.getItem(STORAGE_KEY) ?? "";
  } catch {
    return "";
  }
}

function storeInstance(value) {
  try {
    localStorage.setItem(STORAGE_KEY, value);
  } catch {
    // Storage is not allowed: the instance is asked each time.
  }
}
