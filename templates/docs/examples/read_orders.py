import json
import os
from urllib.request import Request, urlopen

request = Request(
    "{{ origin }}/v1/stores/{{ store_id }}/orders/",
    headers={"Authorization": f"Bearer {os.environ['REFLOW_API_KEY']}"},
)
with urlopen(request) as response:
    page = json.load(response)

for order in page["data"]:
    print(order["number"], order["status"], order["total_formatted"])
