"""Every command of manage.py."""

import io
import sys

import pytest

import manage
from tests.conftest import IssueKey


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_a_name_that_the_terminal_cannot_show_is_escaped(
    issue: IssueKey, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    key, _ = issue(name="Łódź 店舗")
    printed = io.BytesIO()
    stdout = io.TextIOWrapper(printed, encoding=encoding, write_through=True)
    with monkeypatch.context() as terminal:
        terminal.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(key.prefix.encode())))
        terminal.setattr(sys, "stdout", stdout)
        terminal.setattr(sys, "argv", ["manage.py", "find_keys", "-"])
        manage.main()
    assert key.prefix.encode() in printed.getvalue()
    assert b"\\u5e97\\u8217" in printed.getvalue()
