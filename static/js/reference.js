// The interactive reference: Swagger UI, from what the server says of itself.

const reference = document.getElementById("reference");

window.SwaggerUIBundle({
  domNode: reference,
  url: reference.dataset.openapi,
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  // A key that is pasted in goes when the page does.
  persistAuthorization: false,
  // The other site that would judge the description must not hear of it.
  validatorUrl: null,
});

const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();
