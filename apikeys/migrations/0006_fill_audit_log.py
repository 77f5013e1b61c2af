"""Take the history of keys over from Django's admin log, and what follows from it and from their names.

Entries whose sentence can be taken apart become data; all others keep their sentence. The admin log stays
as it was, so that the release before this one finds its history after a rollback.
"""

import re
from itertools import chain, islice

from django.db import migrations

from stores.text import comparable, visible_part

BATCH_SIZE = 1_000
NOBODY = 'reflow'
KEY = re.compile(r'(?P<name>.*) \((?P<prefix>[0-9a-f]{7})\)', re.DOTALL)
OPERATOR_FOUND = 'Deactivated: an operator found that it had leaked.'
HANDED_IN = 'Deactivated: somebody else had the key and handed it in.'
ABOUT_ALL_KEYS = 'All keys of the store'
DELETED_FROM_STORE = 'Deleted the API key '


def fill(apps, schema_editor):
    fill_names(apps)
    stores = {}
    for entry in log_of(apps, 'stores', 'store'):
        if entry.change_message.startswith(DELETED_FROM_STORE) and (found := KEY.search(entry.change_message)):
            stores[found['prefix']] = entry.object_id
    entries = chain(entries_of_keys(apps, stores), entries_of_stores(apps))
    while batch := list(islice(entries, BATCH_SIZE)):
        apps.get_model('apikeys', 'AuditEntry').objects.bulk_create(batch)
    mark_leaked(apps)


def log_of(apps, app_label, model):
    """Return what the admin log has about objects of a kind, oldest first, each with its user."""
    log = apps.get_model('admin', 'LogEntry').objects.filter(
        content_type__app_label=app_label, content_type__model=model
    )
    return log.select_related('user').order_by('action_time', 'pk').iterator(chunk_size=BATCH_SIZE)


def entries_of_keys(apps, stores):
    existing = dict(apps.get_model('apikeys', 'ApiKey').objects.values_list('pk', 'store_id'))
    known_stores = set(apps.get_model('stores', 'Store').objects.values_list('pk', flat=True))
    for entry in log_of(apps, 'apikeys', 'apikey'):
        # What happened to all keys at once is kept once, with the store.
        if entry.change_message.startswith((ABOUT_ALL_KEYS, '[')):
            continue
        key_id = int(entry.object_id)
        named = KEY.fullmatch(entry.object_repr)
        name, prefix = (named['name'], named['prefix']) if named else (entry.object_repr, '')
        store_id = existing.get(key_id) or int(stores.get(prefix, 0))
        event, details = event_of(entry.change_message)
        yield audit_entry(
            apps,
            entry,
            store_id=store_id if store_id in known_stores else None,
            key_id=key_id if key_id in existing else None,
            prefix=prefix,
            name=name[:100],
            event=event,
            details=details,
        )


def entries_of_stores(apps):
    known_stores = set(apps.get_model('stores', 'Store').objects.values_list('pk', flat=True))
    for entry in log_of(apps, 'stores', 'store'):
        store_id = int(entry.object_id) if int(entry.object_id) in known_stores else None
        if entry.change_message == 'Resumed all API keys.':
            yield audit_entry(apps, entry, store_id=store_id, event='resumed', details={})
        elif found := re.fullmatch('Suspended all API keys: (.*)', entry.change_message, re.DOTALL):
            yield audit_entry(
                apps, entry, store_id=store_id, event='suspended', details={'reason': found[1]}
            )


def event_of(sentence):
    """The event that a sentence stands for, and its details."""
    if found := re.fullmatch(r'Created with (.+)\.', sentence):
        return 'created', {'access': found[1].split(', ')}
    if found := re.fullmatch(r'Created by rolling ([0-9a-f]{7})\.', sentence):
        return 'created', {'predecessor': found[1]}
    if sentence in {OPERATOR_FOUND, HANDED_IN}:
        return 'leaked', {'sentence': sentence}
    for word, event in (
        ('Deactivated.', 'deactivated'),
        ('Reactivated.', 'reactivated'),
        ('Deleted.', 'deleted'),
    ):
        if sentence == word:
            return event, {}
    for word, event in (('Deactivated until ', 'deactivated'), ('Rolled: ', 'rolled')):
        if sentence.startswith(word):
            return event, {'sentence': sentence}
    return 'updated', {'sentence': sentence}


def audit_entry(apps, entry, **columns):
    """An entry by whoever the admin log names; the account that stood for nobody is nobody."""
    is_person = entry.user.username != NOBODY
    return apps.get_model('apikeys', 'AuditEntry')(
        at=entry.action_time,
        actor_id=entry.user_id if is_person else None,
        actor_email=(entry.user.email or entry.user.username) if is_person else '',
        **columns,
    )


def fill_names(apps):
    """Make every key's name one that can be told from its neighbours, and say what was renamed."""
    taken = set()
    ApiKey = apps.get_model('apikeys', 'ApiKey')
    for key in ApiKey.objects.order_by('pk').iterator(chunk_size=BATCH_SIZE):
        name = visible_part(key.name) if comparable(key.name) else f'Key {key.prefix}'
        if key.superseded_at is None:
            if (key.store_id, comparable(name)) in taken:
                name = f'{name[:90]} {key.prefix}'
            taken.add((key.store_id, comparable(name)))
        if comparable(name) != comparable(key.name):
            print(f'\n    Renamed the key {key.prefix} to {name}: it could not be told from another.', end='')
            key.name = name
        key.comparable_name = comparable(key.name)
        key.save(update_fields=['name', 'comparable_name'])


def mark_leaked(apps):
    """Keys that were reported as leaked, and not reactivated since, are off for good."""
    for key in apps.get_model('apikeys', 'ApiKey').objects.filter(
        deactivated_at__isnull=False, reactivates_at=None
    ).iterator(chunk_size=BATCH_SIZE):
        entries = apps.get_model('apikeys', 'AuditEntry').objects.filter(
            key_id=key.pk, event__in=('leaked', 'reactivated')
        )
        newest = entries.order_by('-at', '-pk').first()
        if newest and newest.event == 'leaked':
            key.leaked_at = newest.at
            key.save(update_fields=['leaked_at'])


class Migration(migrations.Migration):

    dependencies = [
        ('apikeys', '0005_audit_log'),
        ('admin', '0003_logentry_add_action_flag_choices'),
        ('contenttypes', '0002_remove_content_type_name'),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
        # It was for the look-up of a key's history in the admin log.
        migrations.RunSQL(
            'DROP INDEX IF EXISTS admin_log_by_object',
            'CREATE INDEX IF NOT EXISTS admin_log_by_object ON django_admin_log (object_id, content_type_id)',
        ),
    ]
