const headers = { Authorization: `Bearer ${process.env.REFLOW_API_KEY}` };

async function get(address) {
  const response = await fetch(address, { headers });
  const body = await response.json();
  if (body.code === "rate_limited") {
    const seconds = Number(response.headers.get("Retry-After"));
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    return get(address);
  }
  if (!response.ok) {
    throw new Error(`${body.error} (${body.code}, request ${body.request_id})`);
  }
  return body;
}

let address = "{{ origin }}/v1/stores/{{ store_id }}/orders/?perpage=100&cursor=";
while (address) {
  const page = await get(address);
  for (const order of page.data) {
    console.log(order.number, order.status, order.total_formatted);
  }
  address = page.links.next;
}
