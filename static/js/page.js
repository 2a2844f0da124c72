// Makes nicer what works without: says how the visitor came, and copies the link.

// The page is the same bytes for everyone, so how somebody came stands in their own address alone.
const arrival = new URLSearchParams(location.search);
for (const name of ["ref", "via"]) {
  const field = document.querySelector(`form input[name="${name}"]`);
  if (field && !field.value) field.value = arrival.get(name) ?? "";
}

for (const button of document.querySelectorAll("[data-copy]")) {
  const field = document.getElementById(button.dataset.copy);
  button.hidden = false;
  button.addEventListener("click", () => copy(field, button));
}

async function copy(field, button) {
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    button.textContent = button.dataset.copied;
  } catch {
    // Not allowed here: the link stays selected, ready to be copied by hand.
    field.focus();
  }
}
