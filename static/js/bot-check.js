// Configures the bot check's widget. If it fails, it is removed, and the server asks for a short wait instead.

const widget = document.querySelector("altcha-widget");
globalThis.$altcha.i18n.set(widget.getAttribute("language"), JSON.parse(widget.dataset.texts));
globalThis.$altcha.algorithms.set("PBKDF2/SHA-256", () => new Worker(widget.dataset.worker));
widget.addEventListener("statechange", (event) => {
  if (event.detail.state === "error") widget.remove();
});
