// Reads a list by its Link headers: got does so by itself, undici's fetch in a loop.
import got from "got";
import { fetch } from "undici";

const [baseUrl, key] = process.argv.slice(2);
const address = `${baseUrl}/v1/stores/267418190/orders?perpage=2`;
const headers = { Authorization: `Bearer ${key}` };

const byGot = [];
const transform = (response) => JSON.parse(response.body).data;
for await (const order of got.paginate(address, { headers, pagination: { transform } })) byGot.push(order.number);

const byUndici = [];
let next = address;
while (next) {
  const response = await fetch(next, { headers });
  byUndici.push(...(await response.json()).data.map((order) => order.number));
  next = /<([^>]*)>; rel="next"/.exec(response.headers.get("Link"))?.[1];
}

console.log(JSON.stringify({ byGot, byUndici }));
