import os

import requests

response = requests.get(
    "{{ origin }}/v1/stores/{{ store_id }}/orders/",
    headers={"Authorization": f"Bearer {os.environ['REFLOW_API_KEY']}"},
    timeout=30,
)
response.raise_for_status()

for order in response.json()["data"]:
    print(order["number"], order["status"], order["total_formatted"])
