import os
import sys
import time
import uuid

import requests

client = requests.Session()
client.headers["Authorization"] = f"Bearer {os.environ['REFLOW_API_KEY']}"

coupon = {"code": "WINTER", "kind": "percent", "value": 10, "starts_at": "2026-12-01T00:00:00Z"}
# One name for all attempts at this coupon, and a new one for the next coupon.
name = {"Idempotency-Key": str(uuid.uuid4())}
for seconds in (1, 2, 4, 8, 16):
    try:
        response = client.post(
            "{{ origin }}/v1/stores/{{ store_id }}/coupons/", json=coupon, headers=name, timeout=30
        )
    except requests.RequestException:
        time.sleep(seconds)  # nobody knows whether it arrived: send it again
        continue
    if response.ok:
        print(response.json()["code"], response.json()["id"])
        sys.exit()
    if "Retry-After" not in response.headers:
        break
    time.sleep(int(response.headers["Retry-After"]))
sys.exit("The coupon could not be made.")
