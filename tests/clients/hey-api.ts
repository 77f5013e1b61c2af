// The walk of openapi-fetch.ts, with the client that hey-api makes of the OpenAPI schema.
import { client } from "./hey-api/client.gen.js";
import { getProduct, listOrders, listProducts, updateProduct } from "./hey-api/sdk.gen.js";

const [baseUrl, auth, id] = process.argv.slice(2) as [string, string, string];
const path = { store_id: "267418190" };
client.setConfig({ baseUrl, auth });

const names: string[] = [];
let cursor: string | null = "";
while (cursor !== null) {
  const query: { cursor: string; perpage: number } = { cursor, perpage: 1 };
  const { data } = await listProducts({ path, query, throwOnError: true });
  names.push(...data.data.map((product) => product.name));
  cursor = data.links.next && new URL(data.links.next).searchParams.get("cursor");
}

const { data: product } = await getProduct({ path: { ...path, id }, throwOnError: true });
const { data: changed } = await updateProduct({
  path: { ...path, id },
  body: {
    name: `${product.name}!`,
    categories: product.categories.map((category) => category.id),
    variants: { items: product.variants.items.map(({ id, name, price }) => ({ id, name, price })) },
  },
  throwOnError: true,
});

const { error } = await listOrders({ path });
const code = error?.code;

console.log(JSON.stringify({ names, changed: changed.name, variants: changed.variants.items.length, code }));
