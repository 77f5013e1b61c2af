// Walks through a store's products and writes one back, with types made from the OpenAPI schema.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

const [baseUrl, key] = process.argv.slice(2) as [string, string];
const store_id = "267418190";
const client = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${key}` } });

function unwrap<T>(answer: { data?: T; error?: components["schemas"]["ApiError"] }): T {
  if (answer.data === undefined) throw new Error(`${answer.error?.code}: ${answer.error?.error}`);
  return answer.data;
}

const names: string[] = [];
let cursor: string | null = "";
while (cursor !== null) {
  const page = unwrap(
    await client.GET("/v1/stores/{store_id}/products", {
      params: { path: { store_id }, query: { cursor, perpage: 1 } },
    }),
  ) as components["schemas"]["PaginatedProductList"];
  names.push(...page.data.map((product) => product.name));
  cursor = page.links.next && new URL(page.links.next).searchParams.get("cursor");
}

const id = process.argv[4]!;
const product = unwrap(
  await client.GET("/v1/stores/{store_id}/products/{id}", { params: { path: { store_id, id } } }),
);
const body: components["schemas"]["PatchedProductRequest"] = {
  name: `${product.name}!`,
  categories: product.categories.map((category) => category.id),
  variants: {
    option_name: product.variants.option_name,
    items: product.variants.items.map(({ id, name, sku, price }) => ({ id, name, sku, price })),
  },
};
const changed = unwrap(
  await client.PATCH("/v1/stores/{store_id}/products/{id}", { params: { path: { store_id, id } }, body }),
);

const refused = await client.GET("/v1/stores/{store_id}/orders", { params: { path: { store_id } } });
const code: components["schemas"]["ApiError"]["code"] | undefined = refused.error?.code;

console.log(JSON.stringify({ names, changed: changed.name, variants: changed.variants.items.length, code }));
