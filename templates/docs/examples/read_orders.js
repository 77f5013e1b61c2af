const response = await fetch(
  "{{ origin }}/v1/stores/{{ store_id }}/orders/",
  { headers: { Authorization: `Bearer ${process.env.REFLOW_API_KEY}` } },
);
const page = await response.json();

for (const order of page.data) {
  console.log(order.number, order.status, order.total_formatted);
}
