/** Keeps what is marked as live up to date while somebody looks at it, from the same page. */
const every = 5000;
let timer;

/** @param dress does to new parts what is done to those of a page that is shown */
export function startLive(dress) {
  clearInterval(timer);
  timer = undefined;
  if (!document.querySelector("[data-live]")) return;
  timer = setInterval(() => renew(dress), every);
}

async function renew(dress) {
  if (document.hidden || document.querySelector("dialog[open]")) return;
  const url = location.href;
  const response = await fetch(url, { headers: { accept: "text/html" } }).catch(() => undefined);
  if (!response?.ok || response.redirected) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  if (location.href !== url) return;
  for (const part of document.querySelectorAll("[data-live]")) {
    const fresh = page.getElementById(part.id);
    const used = part.contains(document.activeElement) || !getSelection().isCollapsed;
    if (!fresh || used) continue;
    for (const open of part.querySelectorAll("details[open]")) {
      const same = fresh.querySelector(`#${open.id}`);
      if (same) same.open = true;
    }
    part.replaceWith(fresh);
  }
  dress();
}
