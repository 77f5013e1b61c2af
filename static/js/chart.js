// The value of each bar of a chart: by mouse, by touch, and with the arrow keys.

for (const chart of document.querySelectorAll("[data-chart]")) {
  const plot = chart.querySelector("[data-plot]");
  const cursor = plot.querySelector("[data-cursor]");
  const text = chart.querySelector("[data-value]");
  const rows = [...chart.querySelectorAll("tbody tr")];
  let at = rows.length - 1;

  const point = (index) => {
    at = Math.max(0, Math.min(rows.length - 1, index));
    const [day, ...counts] = [...rows[at].cells].map((cell) => cell.textContent);
    const outcomes = ["succeeded", "refused", "failed"].map((outcome, column) => `${counts[column]} ${outcome}`);
    const value = `${day}: ${outcomes.join(", ")}`;
    text.textContent = value;
    cursor.setAttribute("x", `${(at / rows.length) * 100}%`);
    cursor.setAttribute("width", `${100 / rows.length}%`);
    Object.assign(plot, { ariaValueNow: at + 1, ariaValueText: value });
  };

  // A slider is what a screen reader knows to read value by value.
  const last = rows.length;
  Object.assign(plot, { role: "slider", tabIndex: 0, ariaValueMin: 1, ariaValueNow: last, ariaValueMax: last });

  const openRequests = () => rows[at].querySelector("a")?.click();
  const pointAt = ({ clientX }) => {
    const { left, width } = plot.getBoundingClientRect();
    point(Math.floor(((clientX - left) / width) * rows.length));
  };
  plot.addEventListener("pointermove", pointAt);
  plot.addEventListener("pointerdown", pointAt);
  plot.addEventListener("focus", () => point(at));
  // A finger has to read the value first: it finds the requests by the table.
  plot.addEventListener("click", ({ pointerType }) => pointerType === "mouse" && openRequests());
  plot.addEventListener("keydown", (event) => {
    const last = rows.length - 1;
    const to = { ArrowLeft: at - 1, ArrowDown: at - 1, ArrowRight: at + 1, ArrowUp: at + 1, Home: 0, End: last };
    if (event.key in to) {
      event.preventDefault();
      point(to[event.key]);
    } else if (event.key === "Enter") {
      openRequests();
    }
  });
}
