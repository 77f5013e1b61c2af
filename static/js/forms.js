// What forms do while they are filled in and sent.

// Write includes read, and presets fill the access table.
const boxes = (form) => [...form.querySelectorAll("input[name=access]")];
const twin = (box, access) => box.closest("tr").querySelector(`input[value$=":${access}"]`);

document.addEventListener("change", ({ target }) => {
  if (target.name === "access" && target.type === "checkbox") {
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
    const access = preset.dataset.access.split(" ");
    for (const box of boxes(preset.form)) {
      box.checked = access.includes(box.value);
    }
    noteInput(boxes(preset.form)[0]);
  }
  const button = target.closest("[data-add-addresses]");
  if (button) {
    const field = button.form.elements.allowed_addresses;
    const added = button.dataset.addAddresses.split(" ");
    const lines = field.value.split("\n").filter((line) => line.trim() && !added.includes(line));
    field.value = [...lines, ...added].join("\n");
    noteInput(field);
  }
});
document.addEventListener("input", ({ target }) => forgetErrors(target));

// What a click has filled in is told as what was typed is.
function noteInput(control) {
  control.dispatchEvent(new Event("input", { bubbles: true }));
}

// An error goes when what it is about changes, one about the whole form with anything in it.
function forgetErrors(control) {
  const ofField = control.closest(".field")?.querySelectorAll(".errorlist") ?? [];
  const ofForm = control.form?.querySelectorAll(":scope > .notice.error") ?? [];
  for (const error of [...ofField, ...ofForm]) {
    error.remove();
  }
  control.removeAttribute("aria-invalid");
}

// htmx marks what it sends, and sends it once. This does the same for forms that load a new page.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.classList.contains("sending")) {
    event.preventDefault();
  } else if (form.method === "post" && !event.defaultPrevented) {
    form.classList.add("sending");
  }
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form.sending")) {
    form.classList.remove("sending");
  }
});
