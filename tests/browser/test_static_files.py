"""The pages' own files, as a browser gets them in production."""

import re
from datetime import timedelta
from random import Random
from uuid import uuid4

from django.utils import timezone
from playwright.sync_api import Page, Response, expect

from apikeys.models import Outcome
from apikeys.usage import writer
from apikeys.usage.batch import Batch, Count, Counter
from tests.browser.conftest import KEYS
from tests.conftest import IssueKey

LIGHT = 60_000


def test_a_full_list_is_light_and_its_files_are_kept_for_ever(page: Page, issue: IssueKey) -> None:
    random, now = Random(25), timezone.now()
    for number in range(25):
        key, _ = issue(name=f"Program {number}", access=["products:write", "orders:write", "customers:read"])
        tallies = {
            Counter(key.store_id, key.pk, now - timedelta(days=day), "orders", "read", outcome, ""): Count(
                random.randrange(2_000), now
            )
            for day in range(30)
            for outcome in Outcome.values
        }
        writer.write(Batch(uuid4(), 1, tallies))
    sizes: list[float] = []
    devtools = page.context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    received: list[Response] = []
    page.context.on("response", lambda response: received.append(response))
    page.goto(KEYS)
    expect(page.get_by_role("row")).to_have_count(26)
    page.wait_for_load_state("networkidle")
    assert len(sizes) > 10
    assert sum(sizes) < LIGHT
    files = [response for response in received if "/static/" in response.url]
    assert {file.url.rpartition(".")[2] for file in files} == {"css", "js", "svg"}
    for file in files:
        assert file.status == 200, file.url
        assert re.search(r"\.[0-9a-f]{12}\.\w+$", file.url), file.url
        assert "immutable" in file.headers["cache-control"]
