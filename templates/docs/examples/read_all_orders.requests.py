import os
import sys
import time

import requests

client = requests.Session()
client.headers["Authorization"] = f"Bearer {os.environ['REFLOW_API_KEY']}"


def get(address):
    """Return the body of a response; wait and retry as long as the server asks for it."""
    while True:
        response = client.get(address, timeout=30)
        body = response.json()
        if response.status_code == 200:
            return body
        if response.status_code not in {429, 503}:
            sys.exit(f"{body['error']} ({body['code']}, request {body['request_id']})")
        time.sleep(int(response.headers["Retry-After"]))


address = "{{ origin }}/v1/stores/{{ store_id }}/orders/?perpage=100&cursor="
while address:
    page = get(address)
    for order in page["data"]:
        print(order["number"], order["status"], order["total_formatted"])
    address = page["links"]["next"]
