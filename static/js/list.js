// Boxes to search in: a pasted key is cut to its prefix at once, so the secret is never sent. The list of keys: what
// is selected stays so over pages and searches, for as long as the tab is open.

import { announceMessages } from "./live.js";

// By itself as it is typed, or whole in any text, such as a header.
const KEY = /^\s*([0-9a-f]{7})\.[0-9a-f•]*\s*$|^.*?([0-9a-f]{7})\.[0-9a-f]{8,}.*$/is;

document.addEventListener("input", ({ target }) => {
  if (target.matches("[data-takes-key]")) {
    target.value = target.value.replace(KEY, (key, alone, within) => (alone ?? within).toLowerCase());
  }
});
document.addEventListener("change", ({ target }) => {
  if (target.id === "select-all") {
    for (const box of boxes()) {
      box.checked = target.checked;
    }
  }
  if (target.matches("#select-all, #keys [name=key]")) {
    const shown = boxes().map((box) => box.value);
    const elsewhere = [...readSelection()].filter((prefix) => !shown.includes(prefix));
    keepSelection([...elsewhere, ...boxes().filter((box) => box.checked).map((box) => box.value)]);
  }
});
document.addEventListener("click", ({ target }) => target.closest("[data-select-none]") && keepSelection([]));
document.addEventListener("htmx:afterSettle", ({ target }) => {
  showSelection();
  // Under a dialog the list follows silently.
  if (target.id !== "keys" || !document.querySelector("dialog:modal")) {
    announceMessages(target);
  }
});
// What was selected is done.
document.addEventListener("htmx:beforeOnLoad", ({ detail: { xhr, elt } }) => {
  if (elt.matches("form[data-selected]") && xhr.getResponseHeader("HX-Redirect")) {
    sessionStorage.removeItem(storageName());
  }
});

const boxes = () => [...document.querySelectorAll("#keys tbody [name=key]")];
const storageName = () => `selected on ${location.pathname}`;
const readSelection = () => new Set(JSON.parse(sessionStorage.getItem(storageName()) ?? "[]"));

function keepSelection(prefixes) {
  sessionStorage.setItem(storageName(), JSON.stringify(prefixes));
  showSelection();
}

function showSelection() {
  const form = document.getElementById("selected");
  if (form) {
    const elsewhere = readSelection();
    for (const box of boxes()) {
      box.checked = elsewhere.delete(box.value);
    }
    form.elements.more.value = [...elsewhere].join("-");
    form.classList.toggle("has-more", elsewhere.size > 0);
    form.querySelector("[data-elsewhere]").textContent = elsewhere.size > 0 ? ` here, ${elsewhere.size} elsewhere` : "";
  }
}

showSelection();
