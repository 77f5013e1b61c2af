import os

import requests

client = requests.Session()
client.headers["Authorization"] = f"Bearer {os.environ['REFLOW_API_KEY']}"

orders = "{{ origin }}/v1/stores/{{ store_id }}/orders/"
newest = client.get(orders, params={"perpage": 1}, timeout=30).json()["data"][0]["id"]
while True:
    order = client.get(orders + newest, timeout=30)
    change = {"note": f"{order.json()['note']} Packed.".strip()}
    changed = client.patch(
        orders + newest, json=change, headers={"If-Match": order.headers["ETag"]}, timeout=30
    )
    if changed.status_code != 412:  # 412: somebody changed it in between, so read it again
        break
changed.raise_for_status()
print(changed.json()["number"], changed.json()["note"])
