"""The choices of an owner about e-mail: for one store, by a form that works without scripts."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from apikeys.models import NotificationSettings

PAGE = "/stores/267418190/settings/api-keys/notifications/"


def chosen(owner: User) -> tuple[bool, bool, bool]:
    row = NotificationSettings.objects.get(user=owner)
    return row.expiry, row.new_network, row.monthly_review


def test_the_page_shows_the_defaults_until_somebody_chooses(signed_in: Client) -> None:
    page = signed_in.get(PAGE).content.decode()
    assert re.findall(r'name="(\w+)"[^>]* checked', page) == [
        "expiry",
        "monthly_review",
        "fence",
        "rhythm",
        "roll",
    ]
    assert not NotificationSettings.objects.exists()


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({"new_network": "on"}, (False, True, False)),
        ({"expiry": "on", "monthly_review": "on"}, (True, False, True)),
        ({}, (False, False, False)),
        ({"reviewed_on": "2020-01-01", "user": "1"}, (False, False, False)),
    ],
)
def test_what_is_ticked_is_kept(
    signed_in: Client, owner: User, sent: dict[str, str], kept: tuple[bool, bool, bool]
) -> None:
    for _ in range(2):
        answer = signed_in.post(PAGE, sent, follow=True)
        assert "Saved your notifications." in answer.content.decode()
        assert chosen(owner) == kept
    row = NotificationSettings.objects.get()
    assert (row.store_id, row.user, row.reviewed_on) == (267418190, owner, None)
