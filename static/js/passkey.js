// Passkeys: shown where the browser knows them. What it signs goes along with the form.

for (const form of document.querySelectorAll("[data-passkey]")) {
  if (!window.PublicKeyCredential?.parseCreationOptionsFromJSON) continue;
  form.hidden = false;
  const place = form.closest("[data-passkeys]");
  if (place) place.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const credential = await ask(form.dataset.passkey, JSON.parse(form.dataset.options));
    if (!credential) return;
    form.elements[form.dataset.credential ?? "credential"].value = JSON.stringify(credential);
    form.submit();
  });
}

async function ask(kind, options) {
  const read = kind === "create" ? "parseCreationOptionsFromJSON" : "parseRequestOptionsFromJSON";
  try {
    return await navigator.credentials[kind]({ publicKey: PublicKeyCredential[read](options) });
  } catch {
    return null; // the person changed their mind, and sees the form still
  }
}
