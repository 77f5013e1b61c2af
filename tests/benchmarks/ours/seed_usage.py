"""``python -m tests.benchmarks.ours.seed_usage ROWS``: a store whose keys have so many rows of usage.

Each key has five rows a day for 400 days. Printed as JSON: the path of a key's page, and the cookie of its
owner.
"""

import json
import sys
from datetime import date, timedelta
from io import StringIO
from itertools import pairwise

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

from apikeys import lifecycle  # noqa: E402
from apikeys.models import ApiKeyUsage  # noqa: E402
from apikeys.usage.partitions import months_after  # noqa: E402
from stores.models import Store  # noqa: E402
from stores.resources import Resource  # noqa: E402
from tests.benchmarks.ours.seed import settle  # noqa: E402
from tests.benchmarks.ours.seed_many import copy  # noqa: E402

DAYS = 400
ROWS_A_DAY = len(Resource)
TODAY = timezone.now().date()
TABLE = ApiKeyUsage._meta.db_table

FILL = """
    INSERT INTO {month} (key_id, date, resource, access, outcome, requests, last_at)
    SELECT key.id, day, resource, 'read', 'succeeded', 7, day + interval '12 hours'
    FROM generate_series(%(first)s::date, %(last)s::date, interval '1 day') day,
        apikeys_apikey key, unnest(%(resources)s::text[]) resource
    ORDER BY day, key.id
"""


def seed(rows: int) -> dict[str, str]:
    owner = User.objects.create_user("owner", email="owner@example.com")
    store = Store.objects.create(name="Used")
    store.owners.add(owner)
    key, _ = lifecycle.insert_key(store=store, name="Key", access=["orders:read"])
    copy(key, first=1, last=rows // (DAYS * ROWS_A_DAY) - 1)
    with connection.cursor() as cursor:
        # Empty; a site that has been partitioned for more than a year has dropped it.
        cursor.execute(f"DROP TABLE {TABLE}_before")
    first = TODAY - timedelta(days=DAYS - 1)
    months = [first.replace(day=1), *months_after(first, DAYS // 28 + 1)]
    for start, end in pairwise(months):
        if start <= TODAY:
            fill_month(start, end, first=max(start, first), last=min(end - timedelta(days=1), TODAY))
    call_command("prune_usage", stdout=StringIO())
    browser = Client()
    browser.force_login(owner)
    return {
        "page": f"/stores/{store.pk}/settings/api-keys/{key.prefix}/",
        "cookie": f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}",
    }


def fill_month(start: date, end: date, *, first: date, last: date) -> None:
    """Make a partition with rows of these days; attached when it is full, its indexes are made at once."""
    month = f"{TABLE}_{start:%Y%m%d}"
    with connection.cursor() as cursor:
        cursor.execute("SET maintenance_work_mem = '512MB'")
        cursor.execute(f"CREATE TABLE {month} (LIKE {TABLE} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
        cursor.execute(FILL.format(month=month), {"first": first, "last": last, "resources": Resource.values})
        cursor.execute(
            f"ALTER TABLE {TABLE} ATTACH PARTITION {month} FOR VALUES FROM ('{start}') TO ('{end}')"
        )


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    known = seed(int(sys.argv[1]))
    settle()
    print(json.dumps(known))
