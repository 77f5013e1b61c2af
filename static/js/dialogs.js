// A link marked data-dialog leads to a page that is one dialog. Fetch it and show it over this page;
// send its form from here, too, so that errors come back into the open dialog.

import { announce } from "./live.js";

const HEADERS = { "X-Dialog": "1" };
const FIRST_INVALID = "[aria-invalid=true], [aria-describedby$=-error] input";

let opening = false;

export function liftDialogs() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-dialog]");
    const plain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
    if (link && plain && !event.defaultPrevented) {
      event.preventDefault();
      open(link);
    }
  });
  document.addEventListener("click", (event) => {
    const dialog = event.target.closest("[data-close]")?.closest("dialog:modal");
    if (dialog && !dialog.matches("[data-created]")) {
      event.preventDefault();
      dialog.close();
    }
  });
  document.addEventListener("submit", (event) => {
    const dialog = event.target.closest("dialog:modal");
    if (dialog && event.target.method === "post") {
      event.preventDefault();
      send(event.target, dialog);
    } else {
      preventSecondSubmit(event);
    }
  });
}

async function open(link) {
  // The second click of two must not open a second dialog.
  if (opening) {
    return;
  }
  opening = true;
  const before = document.querySelector("dialog:modal");
  const page = await load(link.href, { headers: HEADERS }).catch(() => null);
  opening = false;
  if (!page?.dialog) {
    location.assign(link.href);
    return;
  }
  const dialog = page.dialog;
  before?.close();
  dialog.removeAttribute("open");
  document.body.append(dialog);
  dialog.addEventListener("close", () => dismiss(dialog));
  dialog.showModal();
  dialog.dispatchEvent(new CustomEvent("lifted", { bubbles: true }));
  if (link.closest(".menu")) {
    link.closest(".menu").open = false;
    dialog.returnTo = link.closest(".menu").querySelector("summary");
  }
}

// Take a closed dialog out of the page, but not the live region that may have moved into it.
export function dismiss(dialog) {
  document.body.append(document.getElementById("live"));
  dialog.remove();
  dialog.returnTo?.focus();
}

async function send(form, dialog) {
  if (form.dataset.sending) {
    return;
  }
  form.dataset.sending = "true";
  const button = form.querySelector("button[type=submit]");
  button.disabled = true;
  try {
    const body = new FormData(form);
    const page = await load(form.getAttribute("action"), { method: "POST", body, headers: HEADERS });
    if (page?.location) {
      location.assign(page.location);
      return;
    }
    if (!page?.dialog) {
      throw new Error("The answer was no dialog");
    }
    dialog.replaceChildren(...page.dialog.childNodes);
    dialog.dispatchEvent(new CustomEvent("lifted", { bubbles: true }));
    (dialog.querySelector(FIRST_INVALID) ?? dialog.querySelector("form input:not([type=hidden])"))?.focus();
    announce([...dialog.querySelectorAll(".notice.error, .field-error")].map((error) => error.innerText).join(" "));
  } catch {
    delete form.dataset.sending;
    button.disabled = false;
    announce(complain(form, "This could not be sent. What you entered is still here: try again in a moment."));
  }
}

function complain(form, text) {
  const notice = form.querySelector("[data-complaint]") ?? document.createElement("p");
  notice.dataset.complaint = "";
  notice.className = "notice error";
  notice.textContent = text;
  form.prepend(notice);
  return text;
}

// The dialog in a page, or where to go instead; null where the server said neither.
async function load(url, options) {
  const response = await fetch(url, { ...options, redirect: "error" });
  const elsewhere = response.headers.get("X-Location");
  if (elsewhere) {
    return { location: elsewhere };
  }
  if (!response.ok) {
    return null;
  }
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const dialog = page.getElementById("dialog");
  return dialog ? { dialog: document.adoptNode(dialog) } : null;
}

function preventSecondSubmit(event) {
  if (event.target.dataset.sending) {
    event.preventDefault();
  }
  if (event.target.method === "post") {
    event.target.dataset.sending = "true";
  }
}
