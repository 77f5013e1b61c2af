const headers = { Authorization: `Bearer ${process.env.REFLOW_API_KEY}` };

let address = "{{ origin }}/v1/stores/{{ store_id }}/orders/?perpage=100";
while (address) {
  const response = await fetch(address, { headers });
  if (!response.ok) throw new Error(await response.text());
  for (const order of (await response.json()).data) {
    console.log(order.number, order.status, order.total_formatted);
  }
  address = response.headers.get("Link").match(/<([^>]*)>; rel="next"/)?.[1];
}
