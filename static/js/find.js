// A whole key pasted into the find box is cut to its prefix at once: the secret is never sent.

const KEY = /^\s*([0-9a-f]{7})\.[0-9a-f•]*\s*$/i;

export function shortenPastedKeys() {
  const field = document.querySelector("[data-find]");
  field?.addEventListener("input", () => {
    field.value = field.value.replace(KEY, (key, prefix) => prefix.toLowerCase());
  });
}
