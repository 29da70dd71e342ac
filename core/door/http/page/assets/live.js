/** Refreshes the parts of a page that are marked as live, while the page is visible. */
const refreshMs = 5000;
let timer;

/** @param prepare prepares the new parts of the page */
export function startLive(prepare) {
  clearInterval(timer);
  timer = undefined;
  if (!document.querySelector("[data-live]")) return;
  timer = setInterval(() => refresh(prepare), refreshMs);
}

async function refresh(prepare) {
  if (document.hidden || document.querySelector("dialog[open]")) return;
  const url = location.href;
  const response = await fetch(url, { headers: { accept: "text/html" } }).catch(() => undefined);
  if (!response?.ok || response.redirected) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  if (location.href !== url) return;
  for (const part of document.querySelectorAll("[data-live]")) {
    const fresh = page.getElementById(part.id);
    const inUse = part.contains(document.activeElement) || !getSelection().isCollapsed;
    if (!fresh || inUse) continue;
    for (const open of part.querySelectorAll("details[open]")) {
      const same = fresh.querySelector(`#${open.id}`);
      if (same) same.open = true;
    }
    part.replaceWith(fresh);
  }
  prepare();
}
