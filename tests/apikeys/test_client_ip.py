"""The address that a request is counted by, and the addresses that a key works from."""

import re
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client, RequestFactory

from apikeys import client_ip
from apikeys.models import LastUse
from apikeys.validators import clean_addresses
from tests.conftest import IssueKey, bearer

URL = "/v1/api-key/"


@pytest.mark.parametrize(
    ("remote", "forwarded", "client"),
    [
        ("198.51.100.7", None, "198.51.100.7"),
        ("198.51.100.7", "203.0.113.9", "198.51.100.7"),
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "1.1.1.1, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "nonsense", "None"),
        ("10.0.0.1", "203.0.113.9, nonsense", "None"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "2001:DB8::7", "2001:db8::7"),
        ("::ffff:198.51.100.7", None, "198.51.100.7"),
        ("fe80::1%eth0", None, "fe80::1"),
        ("", None, "None"),
        ("10.0.0.1", "203.0.113.9:52011", "203.0.113.9"),
        ("10.0.0.1", "[2001:db8::1]:443", "2001:db8::1"),
        ("10.0.0.1", "[2001:db8::1]", "2001:db8::1"),
        ("10.0.0.1", '"203.0.113.9"', "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9, 10.0.0.2:8080", "203.0.113.9"),
        ("10.0.0.1", "for=unknown", "None"),
        ("10.0.0.1", "203.0.113.9:x:y", "None"),
        ("10.0.0.1", " , ", "10.0.0.1"),
        # By a Unix socket, which has no address, only a proxy comes.
        ("", "203.0.113.9", "203.0.113.9"),
        ("", "1.1.1.1, 203.0.113.9", "203.0.113.9"),
    ],
)
def test_client_ip_believes_only_trusted_proxies(
    settings: Any, remote: str, forwarded: str | None, client: str
) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    request = RequestFactory().get("/", REMOTE_ADDR=remote, headers=headers)
    assert str(client_ip.client_ip(request)) == client


def test_client_ip_logs_an_unreadable_header_once(
    settings: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.1"]
    monkeypatch.setattr(client_ip, "LOGGED", set())
    for forwarded in ("for=unknown", "nonsense\n"):
        headers = {"X-Forwarded-For": forwarded}
        client_ip.client_ip(RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", headers=headers))
    (record,) = caplog.records
    assert "has no address in 'for=unknown'" in record.getMessage()


@pytest.mark.parametrize(
    ("allowed", "remote", "code"),
    [
        (["203.0.113.7"], "203.0.113.7", 200),
        (["203.0.113.7"], "203.0.113.8", 401),
        (["203.0.113.0/24", "2001:db8::/32"], "203.0.113.8", 200),
        (["203.0.113.0/24", "2001:db8::/32"], "2001:db8:1::1", 200),
        (["203.0.113.0/24"], "2001:db8:1::1", 401),
        (["203.0.113.0/24"], "::ffff:203.0.113.9", 200),
        (["203.0.113.0/24"], "", 401),
        ([], "198.51.100.1", 200),
    ],
)
def test_api_key_works_from_its_allowed_addresses(
    client: Client, issue: IssueKey, allowed: list[str], remote: str, code: int
) -> None:
    key, plaintext = issue(allowed_addresses=allowed)
    response = client.get(URL, headers=bearer(plaintext), REMOTE_ADDR=remote)
    assert response.status_code == code
    if code == 401:
        assert response.json()["code"] == "address_not_allowed"
        assert 'error="invalid_token", error_description="' in response["WWW-Authenticate"]
    assert key.usage.get().outcome == ("succeeded" if code == 200 else "refused")
    assert LastUse.objects.get(key=key).address == (remote.removeprefix("::ffff:") or None)


def test_clean_addresses_writes_each_once_in_its_canonical_form() -> None:
    listed = ["203.0.113.7", "2001:DB8::/32", "203.0.113.7", " 198.51.100.0/24"]
    assert clean_addresses(listed) == ["203.0.113.7", "2001:db8::/32", "198.51.100.0/24"]


@pytest.mark.parametrize(
    ("listed", "complaint"),
    [
        (["203.0.113.256"], "“203.0.113.256” is not an IP address or network."),
        (["example.com"], "“example.com” is not an IP address or network."),
        (["192.168.1.5/24"], "Write 192.168.1.0/24."),
        (["2001:db8::1/32"], "Write 2001:db8::/32."),
        (["::ffff:203.0.113.7"], "Write 203.0.113.7."),
        (["fe80::1%eth0"], "Write fe80::1."),
        (["203.0.113.7%eth0"], "“203.0.113.7%eth0” is not an IP address or network."),
        (["203.0.113.7"] * 51, "Enter at most 50 addresses"),
    ],
)
def test_clean_addresses_names_what_is_no_address(listed: list[str], complaint: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(complaint)):
        clean_addresses(listed)
