"""On PostgreSQL, usage by key, by store and by reason is partitioned by month, and no row is copied for that.

Each table as it was becomes a partition of the new one: that of all days until the end of the next month. The
site serves meanwhile; it waits for no longer than LOCK_TIMEOUT at a time, and while nothing is read or checked.
Where this stops half-way, run it again: tables that are partitioned are left as they are.
"""

import time

from django.db import OperationalError, migrations, transaction

# With the table whose rows each refers to.
TABLES = {
    "apikeys_apikeyusage": "apikeys_apikey",
    "apikeys_refusalusage": "apikeys_apikey",
    "apikeys_storeusage": "stores_store",
}

# Below deadlock_timeout: of two who wait for each other, it is this that gives way.
LOCK_TIMEOUT = "500ms"
ATTEMPTS = 20
SECONDS_BETWEEN_ATTEMPTS = 0.5


def partition_by_month(apps, schema_editor):
    connection = schema_editor.connection
    if connection.vendor != "postgresql":
        return
    for table, referred in TABLES.items():
        if query(connection, f"SELECT relkind FROM pg_class WHERE oid = '{table}'::regclass") != [("p",)]:
            index_id_and_date(connection, table)
            make_partition_of_a_new_table(connection, table, referred)


def index_id_and_date(connection, table):
    """Make what becomes the primary key, which has to name the column that the table is partitioned by."""
    index = f"{table}_before_pkey"
    if query(connection, f"SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('{index}')") == [(True,)]:
        return
    with connection.cursor() as cursor:
        # It waits for transactions that have begun, and nobody waits for it.
        cursor.execute("SET lock_timeout = 0")
        cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {index}")
        cursor.execute(f"CREATE UNIQUE INDEX CONCURRENTLY {index} ON {table} (id, date)")
        cursor.execute("RESET lock_timeout")


def make_partition_of_a_new_table(connection, table, referred):
    """Put a partitioned table in the table's place.

    Whoever writes usage locks its row among the writers, then stores, then keys, then usage: so does this.
    Nobody may read stores or keys for the few milliseconds either: PostgreSQL attaches no foreign key otherwise.
    """
    # The day from which on others take the rows. More than a month ahead: the table refuses them until then.
    [(end,)] = query(
        connection,
        "SELECT (date_trunc('month', greatest(current_date, max(date))) + interval '2 months')::date::text "
        f"FROM {table}",
    )
    ends = f"{table}_before_ends"
    drop_check = f"DROP CONSTRAINT IF EXISTS {ends}"
    execute(
        connection,
        [table],
        [f"ALTER TABLE {table} {drop_check}, ADD CONSTRAINT {ends} CHECK (date < '{end}') NOT VALID"],
    )
    try:
        # Reads all rows, while others write. With what it proves, the table is attached without reading any.
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {ends}")
        tables = ["apikeys_usagewriter", referred, table]
        execute(
            connection,
            tables,
            [
                f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE",
                *new_table(connection, table, ends),
                f"ALTER TABLE {table} ATTACH PARTITION {table}_before FOR VALUES FROM (MINVALUE) TO ('{end}')",
                f"ALTER TABLE {table}_before {drop_check}",
                # Rows whose month has no partition go there.
                f"CREATE TABLE {table}_default PARTITION OF {table} DEFAULT",
            ],
        )
    except BaseException:
        execute(connection, [table], [f"ALTER TABLE {table} {drop_check}"])
        raise


def new_table(connection, table, ends):
    """Yield what renames the table and makes a partitioned one with the same columns, constraints and indexes."""
    constraints = query(
        connection,
        "SELECT conname, contype, pg_get_constraintdef(oid) FROM pg_constraint "
        f"WHERE conrelid = '{table}'::regclass AND contype IN ('f', 'p', 'u')",
    )
    indexes = query(
        connection,
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index "
        f"WHERE indrelid = '{table}'::regclass AND NOT indisunique",
    )
    before = f"{table}_before"
    sequence = f"{table}_id_seq"
    # Ids go on where they are: of an identity column, they could not in a partition.
    yield f"CREATE SEQUENCE {sequence}_new"
    yield f"SELECT setval('{sequence}_new', nextval('{sequence}'))"
    yield f"ALTER TABLE {table} ALTER id DROP IDENTITY"
    yield f"ALTER SEQUENCE {sequence}_new RENAME TO {sequence}"
    for name, kind, _ in constraints:
        if kind == "p":
            yield f"ALTER TABLE {table} DROP CONSTRAINT {name}"
        if kind == "u":
            yield f"ALTER TABLE {table} RENAME CONSTRAINT {name} TO {name}_before"
    for name, _ in indexes:
        yield f"ALTER INDEX {name} RENAME TO {name}_before"
    yield f"ALTER TABLE {table} ADD CONSTRAINT {before}_pkey PRIMARY KEY USING INDEX {before}_pkey"
    yield f"ALTER TABLE {table} RENAME TO {before}"
    yield f"CREATE TABLE {table} (LIKE {before} INCLUDING CONSTRAINTS) PARTITION BY RANGE (date)"
    yield f"ALTER TABLE {table} DROP CONSTRAINT {ends}"
    yield f"ALTER SEQUENCE {sequence} OWNED BY {table}.id"
    yield f"ALTER TABLE {table} ALTER id SET DEFAULT nextval('{sequence}'), ADD PRIMARY KEY (id, date)"
    for name, kind, definition in constraints:
        if kind != "p":
            yield f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}"
    for _, definition in indexes:
        yield definition


def query(connection, sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def execute(connection, tables, statements):
    """Execute statements about tables in one transaction, and again where a lock cannot be had in time."""
    for attempts_left in reversed(range(ATTEMPTS)):
        try:
            with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
                # This waits for a vacuum, which gives way after a second, and holds up nothing else.
                cursor.execute(f"LOCK TABLE {', '.join(tables)} IN SHARE UPDATE EXCLUSIVE MODE")
                cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
                for statement in statements:
                    cursor.execute(statement)
        except OperationalError:
            if not attempts_left:
                raise
            time.sleep(SECONDS_BETWEEN_ATTEMPTS)
        else:
            return


class Migration(migrations.Migration):

    # An index is made while others write, and each table is there before the next one's turn.
    atomic = False

    dependencies = [
        ('apikeys', '0012_owners_in_audit_log'),
    ]

    operations = [
        # Not taken back: the code of the release before works on the partitioned tables.
        migrations.RunPython(partition_by_month, migrations.RunPython.noop),
    ]
