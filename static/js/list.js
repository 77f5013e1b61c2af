// Boxes to search in: a pasted key is cut to its prefix at once, so the secret is never sent. One box selects all.

import { announceMessages } from "./live.js";

// By itself as it is typed, or whole in any text, such as a header.
const KEY = /^\s*([0-9a-f]{7})\.[0-9a-f•]*\s*$|^.*?([0-9a-f]{7})\.[0-9a-f]{8,}.*$/is;

export function runList() {
  document.addEventListener("input", ({ target }) => {
    if (target.matches("[data-takes-key]")) {
      target.value = target.value.replace(KEY, (key, alone, within) => (alone ?? within).toLowerCase());
    }
  });
  document.addEventListener("change", ({ target }) => {
    if (target.id === "select-all") {
      for (const box of document.querySelectorAll("#keys input[name=key]")) {
        box.checked = target.checked;
      }
    }
  });
  document.addEventListener("htmx:afterSettle", ({ target }) => {
    // Under a dialog the list follows silently.
    if (target.id !== "keys" || !document.querySelector("dialog:modal")) {
      announceMessages(target);
    }
  });
}
