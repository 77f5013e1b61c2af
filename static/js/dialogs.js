// The page's one dialog. htmx fetches what belongs into it and sends its forms; this opens and closes it, moves
// the focus, and asks before anything is lost. While it is open it is an entry of the history: Back closes it.

import { announce, complain, sayNoAnswer, showMessage } from "./live.js";

const dialog = document.getElementById("dialog");
const content = document.getElementById("dialog-content");
const INVALID = "[aria-invalid=true], [aria-describedby$=_error] input";
const ERRORS = ".notice.error, .errorlist";
// Kept for this tab until the key is copied: also a page that is loaded again can say that it was not.
const UNCOPIED = "uncopied";

let opener = null;
let asFetched = "";
let isLeaving = false;
let isGoingBack = false;

function run() {
  if (dialog.open) {
    // A new key came with the page. Its address showed the key and never will again.
    history.replaceState(null, "", dialog.dataset.address);
    dialog.removeAttribute("open");
    sessionStorage.setItem(UNCOPIED, dialog.dataset.names);
    show(document.querySelector("a[href$='api-keys/new/']"));
  } else {
    sayWhatWasNotCopied();
  }
  content.addEventListener("htmx:afterSettle", ({ target }) => target === content && show(document.activeElement));
  dialog.addEventListener("cancel", (event) => mayClose() || event.preventDefault());
  dialog.addEventListener("close", clear);
  dialog.addEventListener("copied", noteCopy);
  dialog.addEventListener("copy", noteCopy);
  dialog.addEventListener("click", (event) => {
    if (event.target.closest("[data-close]")) {
      event.preventDefault();
      if (mayClose()) {
        dialog.close();
      }
    } else if (event.target.closest("[data-keep-editing]")) {
      content.querySelector("[data-unsaved]").hidden = true;
    }
  });
  // Whoever types on has answered.
  dialog.addEventListener("input", () => content.querySelector("[data-unsaved]")?.setAttribute("hidden", ""));
  dialog.addEventListener("copied", ({ target }) => target.matches("[data-copy-and-close]") && dialog.close());
  // Before htmx, which would load the page again.
  addEventListener("popstate", followHistory, true);
  addEventListener("beforeunload", (event) => dialog.open && !isLeaving && isUnsafe() && event.preventDefault());
  document.addEventListener("htmx:beforeOnLoad", leave);
  document.addEventListener("htmx:beforeRequest", pauseLive);
  document.addEventListener("htmx:responseError", ({ detail }) => explain(detail, `error ${detail.xhr.status}`));
  document.addEventListener("htmx:sendError", ({ detail }) => explain(detail, "no answer"));
}

function show(focused) {
  if (!dialog.open) {
    const menu = focused?.closest(".menu");
    opener = menu?.querySelector("summary") ?? focused;
    menu?.removeAttribute("open");
    dialog.showModal();
    history.pushState({ dialog: true }, "");
  }
  (content.querySelector(INVALID) ?? content.querySelector("[autofocus]"))?.focus();
  asFetched = typed();
  const errors = [...content.querySelectorAll(ERRORS)].filter((error) => error.checkVisibility());
  if (errors.length > 0) {
    asFetched = null;
    announce(errors.map((error) => error.innerText).join(" "));
  }
}

const typed = () => JSON.stringify([...content.querySelectorAll("form")].map((form) => [...new FormData(form)]));
const question = () => content.querySelector("[data-uncopied], [data-unsaved]");

// Whether closing throws away what was typed, or a key that nobody has copied.
const isUnsafe = () => question() !== null && !(question().matches("[data-unsaved]") && typed() === asFetched);

// That is asked once.
function mayClose() {
  if (!isUnsafe() || !question().hidden) {
    return true;
  }
  question().hidden = false;
  question().scrollIntoView({ block: "nearest" });
  return false;
}

function clear() {
  content.replaceChildren();
  document.body.append(document.getElementById("live"));
  opener?.focus();
  sayWhatWasNotCopied();
  if (history.state?.dialog) {
    isGoingBack = true;
    history.back();
  }
}

function followHistory(event) {
  if (isGoingBack || dialog.open || event.state?.dialog) {
    event.stopImmediatePropagation();
  }
  if (dialog.open && !isGoingBack) {
    if (mayClose()) {
      dialog.close();
    } else {
      history.pushState({ dialog: true }, "");
    }
  }
  isGoingBack = false;
}

// The page that comes after what was sent takes the place of the dialog in the history.
function leave(event) {
  const next = event.detail.xhr.getResponseHeader("HX-Redirect");
  if (next && dialog.open) {
    event.preventDefault();
    isLeaving = true;
    location.replace(next);
  }
}

function noteCopy() {
  content.querySelector("[data-uncopied]")?.remove();
  sessionStorage.removeItem(UNCOPIED);
}

function sayWhatWasNotCopied() {
  const names = sessionStorage.getItem(UNCOPIED);
  if (names) {
    sessionStorage.removeItem(UNCOPIED);
    showMessage(`You did not copy the key of ${names}. It is not shown again: if you have not stored it, roll it.`);
  }
}

// Nothing changes behind an open request.
function pauseLive(event) {
  if (event.target.matches("[data-live]") && dialog.open) {
    event.preventDefault();
  }
}

// A form in the dialog keeps what was typed. A link goes where it leads, so that the page there says what is wrong.
function explain({ requestConfig: { elt, verb, path } }, problem) {
  if (elt.matches(".dialog-frame form") && verb === "post") {
    complain(
      elt,
      problem === "no answer"
        ? "No answer arrived, so this may have been saved or not. What you entered is still here: look at the list of keys before you try again."
        : `This was not saved (${problem}). What you entered is still here: try again in a moment.`,
    );
  } else if (problem === "no answer" && !elt.matches("[hx-trigger^=every]")) {
    sayNoAnswer();
  } else if (elt.matches("a[href]")) {
    location.assign(path);
  }
}

if (dialog) {
  run();
}
