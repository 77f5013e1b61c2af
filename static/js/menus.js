// Menus are <details>: close them on a click elsewhere and on Escape, as people expect of a menu.

export function closeMenus() {
  const openMenus = () => document.querySelectorAll("details.menu[open]");
  document.addEventListener("click", ({ target }) => {
    for (const menu of openMenus()) {
      if (!menu.contains(target)) {
        menu.open = false;
      }
    }
  });
  document.addEventListener("keydown", ({ key }) => {
    if (key === "Escape") {
      for (const menu of openMenus()) {
        menu.open = false;
        menu.querySelector("summary").focus();
      }
    }
  });
}
