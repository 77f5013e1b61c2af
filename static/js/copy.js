// Copying to the clipboard.

import { announce } from "./live.js";

// Buttons marked data-copy with the id of what they copy.
export function copyOnClick() {
  const show = () => {
    for (const button of document.querySelectorAll("[data-copy]")) {
      button.hidden = false;
    }
  };
  show();
  document.addEventListener("lifted", show);
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) {
      const source = document.getElementById(button.dataset.copy);
      await copyText(source.textContent, source);
      button.dispatchEvent(new CustomEvent("copied", { bubbles: true }));
      button.textContent = "Copied";
      announce("Copied");
      setTimeout(() => {
        button.textContent = "Copy";
      }, 2000);
    }
  });
}

// The clipboard is only there on HTTPS and localhost, and may be closed; then the old command copies a selection.
export async function copyText(text, element) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    getSelection().selectAllChildren(element);
    element.select?.();
    document.execCommand("copy");
  }
}
