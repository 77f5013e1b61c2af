"""``python -m tests.benchmarks.ours.seed_log ROWS``: a store with a request log of so many rows.

Half of them are of one key. Printed as JSON: the cookie of the store's owner, the store's id and the key's
prefix.
"""

import json
import sys

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402

from apikeys import lifecycle  # noqa: E402
from apikeys.usage.request_log import DAYS_AHEAD, maintain_request_log  # noqa: E402
from stores.models import Store  # noqa: E402
from tests.benchmarks.ours.seed import settle  # noqa: E402

KEYS = 100
# In the partitions that there are, those of the coming days. One in fifty was refused.
FILL = """
    INSERT INTO apikeys_loggedrequest (
        at, store_id, key_id, prefix, method, path, route, resource, access, status, reason,
        milliseconds, address, client, request_id
    )
    SELECT
        date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' + interval '1 day'
            + n * interval '%(days)s days' / %(rows)s,
        key.store_id, key.id, key.prefix, 'GET', '/v1/stores/' || key.store_id || '/orders/' || n || '/',
        '/v1/stores/{store_id}/orders/{pk}/', 'orders', 'read',
        CASE WHEN n / 2 %% 50 = 0 THEN 401 ELSE 200 END,
        CASE WHEN n / 2 %% 50 = 0 THEN 'api_key_expired' END,
        5 + n %% 40, '203.0.113.7', 'python-requests/2.32.5', gen_random_uuid()
    FROM generate_series(0, %(rows)s - 1) n
    JOIN (SELECT *, row_number() OVER (ORDER BY id) - 1 AS place FROM apikeys_apikey) key
        ON key.place = CASE WHEN n %% 2 = 0 THEN 0 ELSE n / 2 %% %(keys)s END
    ORDER BY n
"""


def seed(rows: int) -> dict[str, str]:
    owner = User.objects.create_user("owner", email="owner@example.com")
    store = Store.objects.create(name="Logged")
    store.owners.add(owner)
    made = [
        lifecycle.insert_key(store=store, name=f"Key {n}", access=["orders:read"])[0] for n in range(KEYS)
    ]
    maintain_request_log()
    with connection.cursor() as cursor:
        cursor.execute(FILL, {"rows": rows, "days": DAYS_AHEAD, "keys": KEYS})
    browser = Client()
    browser.force_login(owner)
    return {
        "cookie": f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}",
        "store": str(store.pk),
        "prefix": made[0].prefix,
    }


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    known = seed(int(sys.argv[1]))
    settle()
    print(json.dumps(known))
