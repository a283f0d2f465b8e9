// Shows the overview anew, and lets be what somebody is at: a page that reloads takes the reader's place.
const SECONDS = 15;

async function refresh() {
  const shown = document.getElementById("overview");
  if (document.hidden || shown.contains(document.activeElement) || shown.querySelector("details[open]")) return;
  const answer = await fetch(location.href);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("overview");
  if (fresh) shown.replaceWith(fresh);
}

setInterval(() => refresh().catch(console.warn), SECONDS * 1000);
