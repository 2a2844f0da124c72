// Refreshes organisers' pages while they are open. This is not activity: it does not extend the session.

const refreshArea = () => document.querySelector("[data-refresh-seconds]");

setInterval(() => document.hidden || !refreshArea().dataset.refreshSeconds || refresh(), refreshArea().dataset.refreshSeconds * 1000);
document.addEventListener("visibilitychange", () => document.hidden || refresh());

async function refresh() {
  const response = await fetch(location.href, { headers: { "X-Refresh": "1" } }).catch(() => null);
  if (response?.redirected) return location.reload(); // logged out
  if (!response?.ok) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const newArea = page.querySelector("[data-refresh-seconds]");
  if (!newArea || refreshArea().contains(document.activeElement)) return; // do not move the element that has the focus
  const open = [...refreshArea().querySelectorAll("details")].map((details) => details.open);
  for (const [index, details] of newArea.querySelectorAll("details").entries()) details.open = open[index] ?? false;
  refreshArea().replaceWith(newArea);
}
