import os

import requests

client = requests.Session()
client.headers["Authorization"] = f"Bearer {os.environ['REFLOW_API_KEY']}"

address = "{{ origin }}/v1/stores/{{ store_id }}/orders/?perpage=100"
while address:
    response = client.get(address, timeout=30)
    response.raise_for_status()
    for order in response.json()["data"]:
        print(order["number"], order["status"], order["total_formatted"])
    address = response.links.get("next", {}).get("url")
