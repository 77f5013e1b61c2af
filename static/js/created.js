// The dialog that shows a new key, once: copy it, and see its first request arrive.

import { announce } from "./live.js";
import { copyText } from "./copy.js";
import { dismiss } from "./dialogs.js";

const POLL_MILLISECONDS = 700;
const GIVE_UP_AFTER = 10 * 60 * 1000;

export function showCreatedKey() {
  const dialog = document.querySelector("[data-created]");
  if (!dialog) {
    return;
  }
  // The address showed the key and never will again; a reload should show the list.
  history.replaceState(null, "", dialog.dataset.list);
  dialog.removeAttribute("open");
  dialog.showModal();
  const secret = dialog.querySelector("#secret");
  secret.focus();
  secret.select();

  const stopWaiting = waitForFirstRequest(dialog);
  let copied = false;
  let warned = false;

  const close = (event) => {
    event.preventDefault();
    if (copied || warned) {
      stopWaiting();
      dialog.close();
      dialog.returnTo = document.querySelector("a[href$='/new/']");
      dismiss(dialog);
    } else {
      warned = true;
      dialog.querySelector("[data-uncopied]").hidden = false;
    }
  };

  const button = dialog.querySelector("[data-copy-and-close]");
  button.hidden = false;
  button.addEventListener("click", async (event) => {
    await copyText(secret.value, secret);
    copied = true;
    close(event);
    announce("API key copied");
  });
  dialog.addEventListener("copy", () => {
    copied = true;
  });
  dialog.addEventListener("copied", () => {
    copied = true;
  });
  dialog.addEventListener("cancel", close);
  for (const element of dialog.querySelectorAll("[data-close]")) {
    element.addEventListener("click", close);
  }
}

// Ask whether the key has been used until it has, for ten minutes. Returns what stops the asking.
function waitForFirstRequest(dialog) {
  const line = dialog.querySelector("[data-waiting]");
  line.hidden = false;
  const ask = async () => {
    const response = await fetch(dialog.dataset.firstRequest).catch(() => null);
    const received = response?.ok ? (await response.json()).received : null;
    if (received) {
      stop();
      line.textContent = `Received: ${received}`;
      line.classList.add("received");
      announce(line.textContent);
    }
  };
  const timer = setInterval(ask, POLL_MILLISECONDS);
  const deadline = setTimeout(() => stop(), GIVE_UP_AFTER);
  const stop = () => {
    clearInterval(timer);
    clearTimeout(deadline);
  };
  return stop;
}
