// Forms marked data-passkey, "get" or "create", send what the browser says in their field named credential.
// Where there are no passkeys, they stay hidden.

import { complain } from "./live.js";

const SENTENCES = {
  InvalidStateError: "This device has a passkey for this account already.",
  NotAllowedError: "No passkey was used. Try again, or sign in another way.",
};

const ask = {
  get: ({ request_options: { publicKey } }) =>
    navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey) }),

  // Preferably one that is found without an e-mail address, to sign in with nothing else.
  create: ({ creation_options: { publicKey } }) => {
    publicKey.authenticatorSelection.residentKey = "preferred";
    return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey) });
  },
};

// They are in the page; or asked for, where most people go on without a passkey.
async function optionsFor(form) {
  const options = document.getElementById("passkey-options");
  if (options) {
    return JSON.parse(options.textContent);
  }
  const response = await fetch(form.action, { headers: { Accept: "application/json" } });
  return response.json();
}

if (window.PublicKeyCredential?.parseRequestOptionsFromJSON) {
  for (const notice of document.querySelectorAll("[data-no-passkeys]")) {
    notice.hidden = true;
  }
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const button = form.querySelector("[type=submit]");
      button.disabled = true;
      try {
        form.elements.credential.value = JSON.stringify(await ask[form.dataset.passkey](await optionsFor(form)));
        form.submit();
      } catch (error) {
        complain(form, SENTENCES[error.name] ?? `Passkeys do not work here: ${error.message}`);
      }
      button.disabled = false;
    });
  }
}
