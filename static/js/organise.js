// Pages of organisers that renew themselves while they are open. That does not count as work: it keeps no session alive.

const live = () => document.querySelector("[data-live]");

setInterval(() => document.hidden || !live().dataset.live || renew(), live().dataset.live * 1000);
document.addEventListener("visibilitychange", () => document.hidden || renew());

async function renew() {
  const answer = await fetch(location.href, { headers: { "X-Refresh": "1" } }).catch(() => null);
  if (answer?.redirected) return location.reload(); // signed out
  if (!answer?.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const next = page.querySelector("[data-live]");
  if (!next || live().contains(document.activeElement)) return; // nothing moves under a reader's hands
  const open = [...live().querySelectorAll("details")].map((part) => part.open);
  for (const [at, part] of next.querySelectorAll("details").entries()) part.open = open[at] ?? false;
  live().replaceWith(next);
}
