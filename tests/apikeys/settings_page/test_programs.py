"""Keys that renew themselves and keys that programs made, in the forms and on the pages of their owners."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from apikeys import lifecycle, renewal
from apikeys.actors import Actor
from apikeys.models import ApiKey
from tests.conftest import IssueKey

KEYS = "/stores/267418190/settings/api-keys/"


def made_by(key: ApiKey, issue: IssueKey, name: str) -> ApiKey:
    made, _ = issue(name=name, by=Actor(key=key), expires_at=timezone.now() + timedelta(hours=1))
    return made


@pytest.mark.parametrize(("step", "fields"), [("deactivate", {"hours": ""}), ("delete", {"name": "Program"})])
def test_ending_a_key_asks_about_the_keys_it_made(
    signed_in: Client, issue: IssueKey, step: str, fields: dict[str, str]
) -> None:
    """Keys that were made with the key before it too, and not the keys that it is replaced by."""
    program, _ = issue(name="Program", access=["orders:read", "api_keys:write"], renews_days=30)
    first, bystander = made_by(program, issue, "First"), issue(name="Bystander")[0]
    renewed, _ = renewal.renew_key(program, by=Actor(key=program))
    second = made_by(renewed, issue, "Second")
    third = made_by(program, issue, "Third")
    path = f"{KEYS}{renewed.prefix}/{step}/"
    asked = signed_in.get(path)
    assert asked.context["made"] == [first, second, third]
    assert "Also the 3 keys it made" in asked.text
    ApiKey.objects.filter(pk=first.pk).update(made_by=bystander)
    signed_in.post(path, fields | {"with_made": "on"})
    usable = set(ApiKey.objects.usable().values_list("name", "superseded_at"))
    assert {name for name, superseded_at in usable if not superseded_at} == {"Bystander", "First"}


def test_ending_a_key_leaves_the_keys_it_made_unless_that_is_ticked(
    signed_in: Client, issue: IssueKey
) -> None:
    program, _ = issue(name="Program", access=["orders:read", "api_keys:write"], expires_at=None)
    made = made_by(program, issue, "Made")
    signed_in.post(f"{KEYS}{program.prefix}/deactivate/", {"hours": ""})
    assert list(ApiKey.objects.usable()) == [made]


def test_pages_show_which_key_made_which_and_when_it_renewed_itself(
    signed_in: Client, issue: IssueKey, owner: User
) -> None:
    program, _ = issue(name="Program", access=["orders:read", "api_keys:write"], renews_days=30)
    made = made_by(program, issue, "Made")
    assert f"API key {program.prefix}" in signed_in.get(f"{KEYS}{made.prefix}/").text
    creators = re.findall('class="cell-created-by" title="(.*)">(.*)</td>', signed_in.get(KEYS).text)
    assert creators == [(f"API key {program.prefix}",) * 2, (owner.email,) * 2]
    ApiKey.objects.filter(pk=program.pk).update(created_by=None)
    assert '<td class="cell-created-by" title="–">–</td>' in signed_in.get(KEYS).text
    page = signed_in.get(f"{KEYS}{program.prefix}/").text
    assert "For 30 days each time, not yet" in page
    assert f'href="{KEYS}{made.prefix}/"' in page
    with time_machine.travel(timezone.now() - timedelta(days=3)):
        new, _ = renewal.renew_key(program, by=Actor(key=program))
    assert "3 days ago" in signed_in.get(f"{KEYS}{new.prefix}/").text
    assert f"API key {program.prefix}" in signed_in.get(f"{KEYS}activity/").text
    renewal.confirm_renewal(new)
    ApiKey.objects.filter(pk=program.pk).update(replaced_at=timezone.now())
    renewal.report_reuse(ApiKey.objects.get(pk=program.pk), by=Actor(address="203.0.113.7"))
    page = signed_in.get(f"{KEYS}{program.prefix}/").text
    assert "Two programs hold it" in page
    assert "Renews itself" not in page
    # It is over: nothing is offered that could not make it work again.
    assert f'href="{KEYS}{program.prefix}/edit/"' not in page
    assert f'href="{KEYS}{program.prefix}/incident/"' in page
    assert f'href="{KEYS}{new.prefix}/">Open the new key' in page
    lifecycle.deactivate_key(new, by=Actor(owner))
