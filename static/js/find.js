// A whole key pasted into the find box is cut to its prefix at once: the secret is never sent.

// By itself as it is typed, or whole in any text, such as a header.
const KEY = /^\s*([0-9a-f]{7})\.[0-9a-f•]*\s*$|^.*?([0-9a-f]{7})\.[0-9a-f]{8,}.*$/is;

export function shortenPastedKeys() {
  const field = document.querySelector("[data-find]");
  field?.addEventListener("input", () => {
    field.value = field.value.replace(KEY, (key, alone, within) => (alone ?? within).toLowerCase());
  });
}
