// Remembers the instance, on this device alone, and leads there without telling us the message.

const KEPT = "instance";
const HOST = /^(?:https?:\/\/)?(?:[^/\s]*@)?([^@/\s:]+\.[^@/\s:.]+)(?:[/:].*)?$/i; // as the server reads it

const form = document.querySelector("[data-mastodon]");
const { instance, text } = form.elements;

instance.value ||= kept();
if (location.hash.length > 1) text.value = decodeURIComponent(location.hash.slice(1));

form.addEventListener("submit", (event) => {
  const host = HOST.exec(instance.value.trim())?.[1];
  if (!host) return; // the server says what is wrong
  event.preventDefault();
  keep(instance.value.trim());
  const to = { instance: host, text: encodeURIComponent(text.value) };
  location.assign(form.dataset.mastodon.replace(/\{(instance|text)\}/g, (_all, name) => to[name]));
});

function kept() {
  try {
    return localStorage.getItem(KEPT) ?? "";
  } catch {
    return "";
  }
}

function keep(value) {
  try {
    localStorage.setItem(KEPT, value);
  } catch {
    // Not allowed here: then it is asked each time.
  }
}
