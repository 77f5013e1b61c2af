// Buttons marked data-copy with the id of what they copy.

import { announce } from "./live.js";

export function copyOnClick() {
  document.addEventListener("click", async ({ target }) => {
    const button = target.closest("[data-copy]");
    if (button) {
      const source = document.getElementById(button.dataset.copy);
      await copyText(source);
      const label = button.textContent;
      if (label !== "Copied") {
        button.textContent = "Copied";
        setTimeout(() => {
          button.textContent = label;
        }, 2000);
      }
      announce("Copied");
      button.dispatchEvent(new CustomEvent("copied", { bubbles: true }));
    }
  });
}

// The clipboard is only there on HTTPS and localhost, and may be closed; then the old command copies a selection.
async function copyText(source) {
  try {
    await navigator.clipboard.writeText(source.textContent);
  } catch {
    getSelection().selectAllChildren(source);
    document.execCommand("copy");
  }
}
