// What the page says by itself: in the live region, which a screen reader reads out, in messages, on buttons that
// copied something, and beside times.

const main = document.getElementById("main");
const region = document.getElementById("live");

// Inside a modal dialog the rest of the page is inert, so the region moves in there, beside what is replaced.
export function announce(text) {
  const home = document.querySelector("dialog:modal") ?? document.body;
  if (region.parentElement !== home) {
    home.append(region);
  }
  region.textContent = "";
  setTimeout(() => {
    region.textContent = text;
  }, 50);
}

document.addEventListener("click", ({ target }) => target.closest("[data-dismiss]")?.closest("li").remove());

// A message like those that come with a page. It goes with the next thing that is said.
export function showMessage(text) {
  const list = document.querySelector(".messages") ?? document.createElement("ul");
  const message = document.createElement("li");
  list.className = "messages";
  message.className = "notice caution";
  message.textContent = text;
  list.replaceChildren(message);
  main.prepend(list);
  announce(text);
}

export const sayNoAnswer = () => showMessage("No answer arrived, so the page is as it was. Check your connection and try again.");

// What became of a form that was sent, above its fields.
export function complain(form, text) {
  const notice = form.querySelector("[data-complaint]") ?? document.createElement("p");
  notice.dataset.complaint = "";
  notice.className = "notice error";
  notice.textContent = text;
  form.prepend(notice);
  notice.scrollIntoView({ block: "nearest" });
  announce(text);
}

// Offline, what would load another page says so, where the browser would put a page of its own in place of this one.
function stay(event) {
  if (!navigator.onLine) {
    event.preventDefault();
    sayNoAnswer();
  }
}

main.addEventListener("click", (event) => event.target.closest("a[href^='/'], a[href^='?']") && !event.defaultPrevented && stay(event));
main.addEventListener("submit", (event) => event.defaultPrevented || stay(event));

// A region speaks only when it changes, so messages that came with the page are said again.
export function announceMessages(within = document.body) {
  const news = [within, ...within.querySelectorAll("p")].filter((one) => one.matches("p:is([data-announce], [data-announce] *)"));
  if (news.length > 0) {
    announce(news.map((paragraph) => paragraph.innerText).join(" "));
  }
}

// Buttons marked data-copy with the id of what they copy.
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

// The clipboard is only there on HTTPS and localhost, and may be closed; then the old command copies a selection.
async function copyText(source) {
  try {
    await navigator.clipboard.writeText(source.textContent);
  } catch {
    getSelection().selectAllChildren(source);
    document.execCommand("copy");
  }
}

// Times are written in UTC. Where the reader's clock shows something else, that stands beside it.

const format = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });

function addOwnTimes() {
  for (const time of document.querySelectorAll("time[datetime]:not([data-own])")) {
    const at = new Date(time.dateTime);
    if (at.getTimezoneOffset() !== 0) {
      // Browsers shorten this month alone to four letters; the page, to three.
      const own = `${format.format(at).replace("Sept", "Sep")} your time`;
      time.dataset.own = "";
      if (time.title) {
        time.title += `, ${own}`;
      } else if (time.textContent.endsWith("UTC")) {
        time.append(` (${own})`);
      } else {
        time.title = own;
      }
    }
  }
}

announceMessages();
addOwnTimes();
document.addEventListener("htmx:afterSettle", addOwnTimes);
