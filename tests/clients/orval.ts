// The walk of openapi-fetch.ts, with the client that orval makes of the OpenAPI schema.
import axios, { isAxiosError } from "axios";
import type { ApiError, PaginatedProductList } from "./orval/client.js";
import { getProduct, listOrders, listProducts, updateProduct } from "./orval/client.js";

const [baseURL, key, id] = process.argv.slice(2) as [string, string, string];
const storeId = "267418190";
axios.defaults.baseURL = baseURL;
axios.defaults.headers.common["Authorization"] = `Bearer ${key}`;

const names: string[] = [];
let cursor: string | null = "";
while (cursor !== null) {
  const { data: page }: { data: PaginatedProductList } = await listProducts(storeId, { cursor, perpage: 1 });
  names.push(...page.data.map((product) => product.name));
  cursor = page.links.next && new URL(page.links.next).searchParams.get("cursor");
}

const { data: product } = await getProduct(storeId, id);
const { data: changed } = await updateProduct(storeId, id, {
  name: `${product.name}!`,
  categories: product.categories.map((category) => category.id),
  variants: { items: product.variants.items.map(({ id, name, price }) => ({ id, name, price })) },
});

const refused = await listOrders(storeId).catch((error: unknown) => error);
const code = isAxiosError<ApiError>(refused) ? refused.response?.data.code : undefined;

console.log(JSON.stringify({ names, changed: changed.name, variants: changed.variants.items.length, code }));
