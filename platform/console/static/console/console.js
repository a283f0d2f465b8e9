// What the pages do beyond HTML. Each works without it: tables, forms and links are the server's.

"use strict";

const root = document.documentElement;
root.dataset.script = "";
try {
  if (localStorage.theme) root.dataset.theme = localStorage.theme;
} catch { /* no storage: the system's choice stands */ }

function toggleTheme() {
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  try { localStorage.theme = root.dataset.theme; } catch { /* for this page, then */ }
}

async function copy(button) {
  const label = button.querySelector("[data-label]");
  const before = label.textContent;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    label.textContent = "Copied";
  } catch {
    label.textContent = "Select and copy by hand";
  }
  setTimeout(() => { label.textContent = before; }, 1600);
}

// One sound at a time: a second click stops it. Without script the link opens the file.
let sounding = null;
function play(link) {
  const again = sounding?.link === link;
  sounding?.stop();
  if (again) return;
  const audio = new Audio(link.href);
  link.dataset.play = "on";
  const stop = () => {
    audio.pause();
    link.dataset.play = "";
    sounding = null;
  };
  sounding = { link, stop };
  audio.addEventListener("ended", stop);
  audio.play().catch(stop);
}

// One sample of several at a time; without script all stand below each other.
function setUpTabs(group) {
  const panels = [...group.querySelectorAll("[data-tab]")];
  const list = document.createElement("div");
  list.className = "tabs";
  list.setAttribute("role", "tablist");
  list.setAttribute("aria-label", group.dataset.tabs);
  const tabs = panels.map((panel) => {
    const tab = document.createElement("button");
    tab.type = "button";
    tab.textContent = panel.dataset.tab;
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", panel.id);
    panel.setAttribute("role", "tabpanel");
    panel.querySelector(".name").hidden = true;
    tab.addEventListener("click", () => select(tab));
    list.append(tab);
    return tab;
  });
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length];
    select(next);
    next.focus();
  });
  function select(chosen) {
    tabs.forEach((tab, index) => {
      const on = tab === chosen;
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
      panels[index].hidden = !on;
      panels[index].setAttribute("aria-label", tab.textContent);
    });
  }
  group.prepend(list);
  select(tabs[0]);
}

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("[data-tabs]").forEach(setUpTabs);
});
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-play]");
  if (link) {
    event.preventDefault();
    play(link);
  }
  const button = event.target.closest("button");
  if (button?.dataset.copy !== undefined) copy(button);
  if (button?.dataset.toggleTheme !== undefined) toggleTheme();
  if (button?.dataset.menu !== undefined) {
    const open = document.getElementById(button.getAttribute("aria-controls")).toggleAttribute("data-open");
    button.setAttribute("aria-expanded", String(open));
  }
});
document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !confirm(question)) event.preventDefault();
});
