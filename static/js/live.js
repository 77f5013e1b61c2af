// The live region: what a screen reader is told when something happens on the page.

// Say a text. Inside a modal dialog the rest of the page is inert, so the region moves in there.
export function announce(text) {
  const region = document.getElementById("live");
  (document.querySelector("dialog:modal") ?? document.body).append(region);
  region.textContent = "";
  setTimeout(() => {
    region.textContent = text;
  }, 50);
}

// A region speaks only when it changes, so messages that came with the page are said again.
export function announceMessages() {
  const messages = document.querySelector("[data-announce]");
  if (messages) {
    announce(messages.innerText);
  }
}
