"""Fill the folded columns, and give new handles, codes and owners to what only differed in case."""

from collections import defaultdict
from itertools import count

from django.db import migrations, models

BATCH_SIZE = 2000


def fill_columns(apps, schema_editor):
    for name in ("Product", "ProductVariant", "Customer", "Order", "Coupon"):
        model = apps.get_model("stores", name)
        columns = [field for field in model._meta.concrete_fields if hasattr(field, "sources")]
        batch = []
        for row in model.objects.iterator(chunk_size=BATCH_SIZE):
            row.reference = f"#{getattr(row, 'number', '')}"  # a property that models in migrations lack
            for column in columns:
                column.pre_save(row, add=False)
            batch.append(row)
            if len(batch) == BATCH_SIZE:
                model.objects.bulk_update(batch, [column.name for column in columns])
                batch = []
        model.objects.bulk_update(batch, [column.name for column in columns], batch_size=BATCH_SIZE)
    for name in ("Customer", "Coupon"):
        apps.get_model("stores", name).objects.update(updated_at=models.F("created_at"))


def rename_handles(apps, schema_editor):
    """Give a letter to handles without one, and a number to those that differ from an older one in case."""
    for name in ("Category", "Product"):
        model = apps.get_model("stores", name)
        rows = model.objects.order_by("id").values_list("id", "store_id", "handle")
        for pk, store_id, handle, free in find_clashes(rows, prefix=name.lower()):
            if free != handle:
                model.objects.filter(pk=pk).update(handle=free)


def rename_codes(apps, schema_editor):
    model = apps.get_model("stores", "Coupon")
    column = model._meta.get_field("code_key")
    taken: dict[int, set[str]] = defaultdict(set)
    for row in model.objects.order_by("id"):
        original = row.code
        for number in count(2):
            if row.code_key not in taken[row.store_id]:
                break
            row.code = f"{original[:34]}-{number}"
            column.pre_save(row, add=False)
        taken[row.store_id].add(row.code_key)
        if row.code != original:
            row.save()


def merge_customers(apps, schema_editor):
    """Give the orders of customers whose e-mails differ in case only to the oldest of them."""
    customers, orders = apps.get_model("stores", "Customer"), apps.get_model("stores", "Order")
    oldest: dict[tuple[int, str], int] = {}
    for pk, store_id, key in customers.objects.order_by("id").values_list("id", "store_id", "email_key"):
        kept = oldest.setdefault((store_id, key), pk)
        if kept != pk:
            orders.objects.filter(customer=pk).update(customer=kept)
            customers.objects.filter(pk=pk).delete()


def find_clashes(rows, *, prefix):
    """Yield each row with a handle that no earlier one of its store has, its own where that is free."""
    rows = list(rows)
    taken: dict[int, set[str]] = defaultdict(set)
    for _, store_id, handle in rows:
        taken[store_id].add(handle.lower())
    seen: dict[int, set[str]] = defaultdict(set)
    for pk, store_id, handle in rows:
        free = handle if handle.lower() != handle.upper() else f"{prefix}-{handle}".rstrip("-")
        base = free
        for number in count(2):
            if free.lower() not in seen[store_id] and (free == handle or free.lower() not in taken[store_id]):
                break
            free = f"{base[:110]}-{number}"
        seen[store_id].add(free.lower())
        yield pk, store_id, handle, free


class Migration(migrations.Migration):
    dependencies = [("stores", "0003_folded_columns_and_changes")]

    operations = [
        migrations.RunPython(operation, migrations.RunPython.noop)
        for operation in (fill_columns, rename_handles, rename_codes, merge_customers)
    ]
