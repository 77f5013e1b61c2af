// The access table: write includes read, and buttons fill the whole table.

const boxes = (form) => [...form.querySelectorAll("input[name=access]")];
const twin = (box, access) => box.closest("tr").querySelector(`input[value$=":${access}"]`);

export function tickAccess() {
  const showPresets = () => {
    for (const presets of document.querySelectorAll("[data-access-presets]")) {
      presets.hidden = false;
    }
  };
  showPresets();
  document.addEventListener("lifted", showPresets);
  document.addEventListener("change", ({ target }) => {
    if (target.name === "access") {
      if (target.value.endsWith(":write") && target.checked) {
        twin(target, "read").checked = true;
      } else if (target.value.endsWith(":read") && !target.checked) {
        twin(target, "write").checked = false;
      }
    }
  });
  document.addEventListener("click", ({ target }) => {
    const preset = target.closest("[data-access]");
    if (preset) {
      const access = preset.dataset.access;
      for (const box of boxes(preset.form)) {
        box.checked = access === "write" || (access === "read" && box.value.endsWith(":read"));
      }
    }
  });
}
