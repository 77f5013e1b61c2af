import os
from pathlib import Path

import requests

client = requests.Session()
client.headers["Authorization"] = f"Bearer {os.environ['REFLOW_API_KEY']}"

saved = Path("cursor.txt")
cursor = saved.read_text() if saved.exists() else ""
has_more = True
while has_more:
    response = client.get(
        "{{ origin }}/v1/stores/{{ store_id }}/changes/",
        params={"cursor": cursor, "perpage": 100},
        timeout=30,
    )
    response.raise_for_status()
    page = response.json()
    for change in page["data"]:
        print(change["event"], change["resource"], change["id"])
    cursor, has_more = page["next_cursor"], page["has_more"]
    saved.write_text(cursor)
