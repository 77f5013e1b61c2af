// Menus are <details>. They close on a click elsewhere and on Escape, arrow keys move through them, and one
// that would run off the window opens upwards.

const open = () => [...document.querySelectorAll("details.menu[open]")];
document.addEventListener("click", ({ target }) => {
  for (const menu of open().filter((menu) => !menu.contains(target))) {
    menu.open = false;
  }
});
document.addEventListener(
  "toggle",
  ({ target: menu }) => {
    if (menu.matches("details.menu[open]")) {
      const { bottom } = menu.querySelector(".menu-items").getBoundingClientRect();
      menu.classList.toggle("upwards", bottom > innerHeight);
    } else {
      menu.classList.remove("upwards");
    }
  },
  true,
);
document.addEventListener("keydown", (event) => {
  const menu = event.target.closest("details.menu");
  if (event.key === "Escape") {
    for (const menu of open()) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  } else if (menu && ["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key)) {
    event.preventDefault();
    menu.open = true;
    const items = [...menu.querySelectorAll(".menu-items :is(a, button)")];
    const at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at < 0 ? -1 : at - 1, Home: 0, End: -1 }[event.key];
    items.at(to % items.length).focus();
  }
});
