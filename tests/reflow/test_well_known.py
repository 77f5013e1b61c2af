"""Addresses that programs ask every site for."""

from datetime import UTC, datetime, timedelta

from django.templatetags.static import static
from django.test import Client


def test_robots_keeps_search_engines_to_the_documentation(client: Client) -> None:
    answer = client.get("/robots.txt")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.content.decode().splitlines() == ["User-agent: *", "Allow: /docs/", "Disallow: /"]


def test_security_txt_names_a_mailbox_and_an_end_within_a_year(client: Client) -> None:
    lines = client.get("/.well-known/security.txt").content.decode().splitlines()
    fields = dict(line.split(": ", 1) for line in lines)
    assert fields["Contact"] == "mailto:security@testserver"
    assert (
        timedelta(days=100) < datetime.fromisoformat(fields["Expires"]) - datetime.now(UTC) < timedelta(365)
    )


def test_favicon_is_the_mark(client: Client) -> None:
    location = client.get("/favicon.ico")["Location"]
    assert location == static("img/mark.svg")
