"""Renew the key in a file: python3 renew_key.py /var/lib/reflow/api-key"""

import fcntl
import json
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path

path = Path(sys.argv[1]).resolve()
draft = path.with_suffix(".new")


def call(method, address, key):
    headers = {"Authorization": f"Bearer {key}"}
    request = urllib.request.Request("{{ origin }}" + address, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        body = json.load(error)
        sys.exit(f"{body['error']} ({body['code']})")


folder = os.open(path.parent, os.O_RDONLY)
fcntl.flock(folder, fcntl.LOCK_EX)  # one at a time
new = call("POST", "/v1/api-key/roll/", path.read_text().strip())["key"]
file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
os.write(file, new.encode())
os.fsync(file)
draft.replace(path)  # all of it, or nothing
os.fsync(folder)
call("GET", "/v1/api-key/", new)  # a minute after this the old key ends
