const headers = { Authorization: `Bearer ${process.env.REFLOW_API_KEY}` };

let last = 1;
for (let number = 1; number <= last; number += 1) {
  const query = new URLSearchParams({ perpage: 100, page: number });
  const response = await fetch(`{{ origin }}/v1/stores/{{ store_id }}/orders/?${query}`, { headers });
  if (!response.ok) throw new Error(await response.text());
  const page = await response.json();
  for (const order of page.data) {
    console.log(order.number, order.status, order.total_formatted);
  }
  last = page.meta.last_page;
}
