// Times are written in UTC. Where the reader's clock shows something else, that stands beside it.

const format = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });

export function addOwnTimes(within = document) {
  for (const time of within.querySelectorAll("time[datetime]:not([data-own])")) {
    const at = new Date(time.dateTime);
    if (at.getTimezoneOffset() !== 0) {
      const own = `${format.format(at)} your time`;
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
