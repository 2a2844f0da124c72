// Passkeys: shown if the browser supports them. The form submits the signed credential.

for (const form of document.querySelectorAll("[data-passkey]")) {
  if (!window.PublicKeyCredential?.parseCreationOptionsFromJSON) continue;
  form.hidden = false;
  const section = form.closest("[data-passkey-section]");
  if (section) section.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const credential = await requestCredential(form.dataset.passkey, JSON.parse(form.dataset.options));
    if (!credential) return;
    form.elements[form.dataset.credential ?? "credential"].value = JSON.stringify(credential);
    form.submit();
  });
}

async function requestCredential(kind, options) {
  const parse = kind === "create" ? "parseCreationOptionsFromJSON" : "parseRequestOptionsFromJSON";
  try {
    return await navigator.credentials[kind]({ publicKey: PublicKeyCredential[parse](options) });
  } catch {
    return null; // cancelled: the form stays
  }
}
