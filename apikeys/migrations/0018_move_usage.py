"""Move the figures of usage to the tables without foreign keys, a day at a time, while the site serves.

A day that processes of the release before still count in is moved as it is then. What they add afterwards stays
in the old tables: rows there are those that were not moved. Where this stops half-way, run it again.
"""

from datetime import UTC, date, datetime, time

from django.db import migrations, transaction

OLD_TABLES = ("apikeys_apikeyusage", "apikeys_refusalusage", "apikeys_storeusage")

ADD = "requests = kept.requests + excluded.requests"
LAST_AT = "last_at = CASE WHEN excluded.last_at > kept.last_at THEN excluded.last_at ELSE kept.last_at END"

USAGE = f"""
    INSERT INTO apikeys_usage AS kept
        (store_id, key_id, day, resource, access, outcome, reason, requests, last_at)
    {{rows}}
    ON CONFLICT (key_id, day, resource, access, outcome, reason, store_id) DO UPDATE SET {ADD}, {LAST_AT}
"""
STORE_USAGE = f"""
    INSERT INTO apikeys_usage_by_store AS kept (store_id, day, outcome, requests)
    SELECT store_id, date, outcome, requests FROM apikeys_storeusage WHERE date = %s
    ON CONFLICT (store_id, day, outcome) DO UPDATE SET {ADD}
"""

REFUSED_FOR_A_REASON = """
    SELECT key.store_id, key.id, refused.date, refused.resource, refused.access, 'refused', refused.reason,
        refused.requests, refused.last_at
    FROM apikeys_refusalusage refused JOIN apikeys_apikey key ON key.id = refused.key_id
    WHERE refused.date = %s
"""
# Reasons were not counted from the beginning.
ALL_OTHERS = """
    SELECT store_id, key_id, date, resource, access, outcome, '', requests - with_reason, last_at FROM (
        SELECT key.store_id, used.*, coalesce((
            SELECT sum(requests) FROM apikeys_refusalusage refused
            WHERE used.outcome = 'refused' AND refused.key_id = used.key_id AND refused.date = used.date
                AND refused.resource = used.resource AND refused.access = used.access
        ), 0) AS with_reason
        FROM apikeys_apikeyusage used JOIN apikeys_apikey key ON key.id = used.key_id
        WHERE used.date = %s
    ) counted
    WHERE requests > with_reason
"""
# What a store has counted beyond its keys was counted of keys that are deleted. They count as key 0.
OF_DELETED_KEYS = """
    SELECT store_id, 0, date, '', '', outcome, '', requests - of_keys, %s FROM (
        SELECT total.*, coalesce((
            SELECT sum(used.requests)
            FROM apikeys_apikeyusage used JOIN apikeys_apikey key ON key.id = used.key_id
            WHERE key.store_id = total.store_id AND used.date = total.date AND used.outcome = total.outcome
        ), 0) AS of_keys
        FROM apikeys_storeusage total WHERE total.date = %s
    ) counted
    WHERE requests > of_keys
"""


def move(apps, schema_editor):
    move_days(schema_editor.connection, OLD_TABLES, "date", move_day)


def move_day(cursor, day, midnight):
    cursor.execute(USAGE.format(rows=REFUSED_FOR_A_REASON), [day])
    cursor.execute(USAGE.format(rows=ALL_OTHERS), [day])
    cursor.execute(USAGE.format(rows=OF_DELETED_KEYS), [midnight, day])
    cursor.execute(STORE_USAGE, [day])


OLD_USAGE = f"""
    INSERT INTO apikeys_apikeyusage AS kept (key_id, date, resource, access, outcome, requests, last_at)
    SELECT used.key_id, used.day, used.resource, used.access, used.outcome, sum(used.requests), max(used.last_at)
    FROM apikeys_usage used JOIN apikeys_apikey key ON key.id = used.key_id WHERE used.day = %s
    GROUP BY used.key_id, used.day, used.resource, used.access, used.outcome
    ON CONFLICT (key_id, date, resource, access, outcome) DO UPDATE SET {ADD}, {LAST_AT}
"""
OLD_REFUSALS = f"""
    INSERT INTO apikeys_refusalusage AS kept (key_id, date, resource, access, reason, requests, last_at)
    SELECT used.key_id, used.day, used.resource, used.access, used.reason, used.requests, used.last_at
    FROM apikeys_usage used JOIN apikeys_apikey key ON key.id = used.key_id
    WHERE used.day = %s AND used.reason <> ''
    ON CONFLICT (key_id, date, resource, access, reason) DO UPDATE SET {ADD}, {LAST_AT}
"""
OLD_STORE_USAGE = f"""
    INSERT INTO apikeys_storeusage AS kept (store_id, date, outcome, requests)
    SELECT used.store_id, used.day, used.outcome, used.requests
    FROM apikeys_usage_by_store used JOIN stores_store store ON store.id = used.store_id WHERE used.day = %s
    ON CONFLICT (store_id, date, outcome) DO UPDATE SET {ADD}
"""


def move_back(apps, schema_editor):
    """Move all figures to the tables with foreign keys, which know of no deleted key."""
    move_days(schema_editor.connection, ("apikeys_usage", "apikeys_usage_by_store"), "day", move_day_back)


def move_day_back(cursor, day, midnight):
    for statement in (OLD_USAGE, OLD_REFUSALS, OLD_STORE_USAGE):
        cursor.execute(statement, [day])


def move_days(connection, tables, column, move_rows):
    """Move the rows of each day in a transaction of its own, the oldest first."""
    days = " UNION ".join(f"SELECT {column} FROM {table}" for table in tables)
    with connection.cursor() as cursor:
        cursor.execute(f"{days} ORDER BY 1")
        found = [day for (day,) in cursor.fetchall()]
    for day in found:
        # SQLite has it as text.
        midnight = datetime.combine(date.fromisoformat(str(day)), time.min, UTC)
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                # Who writes takes them in this order too, and waits while a day is moved.
                cursor.execute(f"LOCK TABLE {', '.join(tables)} IN SHARE ROW EXCLUSIVE MODE")
            move_rows(cursor, day, connection.ops.adapt_datetimefield_value(midnight))
            for table in tables:
                cursor.execute(f"DELETE FROM {table} WHERE {column} = %s", [day])


class Migration(migrations.Migration):

    # Each day is moved as a whole, and nobody waits for more than one.
    atomic = False

    dependencies = [
        ('apikeys', '0017_usage_without_foreign_keys'),
    ]

    operations = [
        migrations.RunPython(move, move_back),
    ]
