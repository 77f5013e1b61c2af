const headers = { Authorization: `Bearer ${process.env.REFLOW_API_KEY}` };

// Returns the body of a response; waits and retries as long as the server asks for it.
async function get(address) {
  for (;;) {
    const response = await fetch(address, { headers });
    const body = await response.json();
    if (response.ok) return body;
    if (![429, 503].includes(response.status)) {
      throw new Error(`${body.error} (${body.code}, request ${body.request_id})`);
    }
    const seconds = Number(response.headers.get("Retry-After"));
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  }
}

let address = "{{ origin }}/v1/stores/{{ store_id }}/orders/?perpage=100&cursor=";
while (address) {
  const page = await get(address);
  for (const order of page.data) {
    console.log(order.number, order.status, order.total_formatted);
  }
  address = page.links.next;
}
