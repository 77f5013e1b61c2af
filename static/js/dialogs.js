// The page's one dialog. htmx fetches what belongs into it and sends its forms; this opens and closes it,
// moves the focus, and says what could not be sent.

import { announce } from "./live.js";

const dialog = document.getElementById("dialog");
const content = document.getElementById("dialog-content");
const INVALID = "[aria-invalid=true], [aria-describedby$=-error] input";
const ERRORS = ".notice.error, .field-error";

let opener = null;
let asFetched = "";

export function runDialog() {
  if (!dialog) {
    return;
  }
  if (dialog.open) {
    // A new key came with the page. Its address showed the key and never will again.
    history.replaceState(null, "", dialog.dataset.address);
    dialog.removeAttribute("open");
    show(document.querySelector("a[href$='/new/']"));
  }
  content.addEventListener("htmx:afterSettle", ({ target }) => target === content && show(document.activeElement));
  dialog.addEventListener("cancel", (event) => mayClose() || event.preventDefault());
  dialog.addEventListener("close", clear);
  dialog.addEventListener("copied", () => content.querySelector("[data-uncopied]")?.remove());
  dialog.addEventListener("copy", () => content.querySelector("[data-uncopied]")?.remove());
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
  dialog.addEventListener("copied", ({ target }) => target.matches("[data-copy-and-close]") && dialog.close());
  document.addEventListener("htmx:responseError", ({ detail }) => explain(detail, `error ${detail.xhr.status}`));
  document.addEventListener("htmx:sendError", ({ detail }) => explain(detail, "no answer"));
}

function show(focused) {
  if (!dialog.open) {
    const menu = focused?.closest(".menu");
    opener = menu?.querySelector("summary") ?? focused;
    menu?.removeAttribute("open");
    dialog.showModal();
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

// Closing throws away what was typed, or a key that nobody has copied: that is asked once.
function mayClose() {
  const question = content.querySelector("[data-uncopied], [data-unsaved]");
  if (!question?.hidden || (question.matches("[data-unsaved]") && typed() === asFetched)) {
    return true;
  }
  question.hidden = false;
  question.scrollIntoView({ block: "nearest" });
  return false;
}

function clear() {
  if (dialog.dataset.next) {
    location.assign(dialog.dataset.next);
  }
  content.replaceChildren();
  document.body.append(document.getElementById("live"));
  opener?.focus();
}

// A link goes where it leads, so that the page there says what is wrong. A form keeps what was typed.
function explain({ requestConfig: { elt, verb, path } }, problem) {
  if (elt.matches("a[href]")) {
    location.assign(path);
  } else if (elt.matches("form") && verb === "post") {
    const notice = elt.querySelector("[data-complaint]") ?? document.createElement("p");
    notice.dataset.complaint = "";
    notice.className = "notice error";
    notice.textContent =
      problem === "no answer"
        ? "No answer arrived, so this may have been saved or not. What you entered is still here: look at the list of keys before you try again."
        : `This was not saved (${problem}). What you entered is still here: try again in a moment.`;
    elt.prepend(notice);
    notice.scrollIntoView({ block: "nearest" });
    announce(notice.textContent);
  }
}
