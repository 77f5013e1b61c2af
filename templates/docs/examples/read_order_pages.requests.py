import os

import requests

client = requests.Session()
client.headers["Authorization"] = f"Bearer {os.environ['REFLOW_API_KEY']}"

number, last = 1, 1
while number <= last:
    response = client.get(
        "{{ origin }}/v1/stores/{{ store_id }}/orders/",
        params={"perpage": 100, "page": number},
    )
    response.raise_for_status()
    page = response.json()
    for order in page["data"]:
        print(order["number"], order["status"], order["total_formatted"])
    number, last = number + 1, page["meta"]["last_page"]
