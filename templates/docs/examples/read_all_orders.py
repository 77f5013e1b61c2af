import json
import os
import sys
import time
from urllib.error import HTTPError
from urllib.request import Request, urlopen

KEY = os.environ["REFLOW_API_KEY"]


def get(address):
    request = Request(address, headers={"Authorization": f"Bearer {KEY}"})
    try:
        with urlopen(request) as response:
            return json.load(response)
    except HTTPError as refused:
        error = json.load(refused)
        if error["code"] != "rate_limited":
            sys.exit(f"{error['error']} ({error['code']}, request {error['request_id']})")
        time.sleep(int(refused.headers["Retry-After"]))
        return get(address)


address = "{{ origin }}/v1/stores/{{ store_id }}/orders/?perpage=100&cursor="
while address:
    page = get(address)
    for order in page["data"]:
        print(order["number"], order["status"], order["total_formatted"])
    address = page["links"]["next"]
