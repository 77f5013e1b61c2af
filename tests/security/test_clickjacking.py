"""Clickjacking: no page can be laid, unseen, under somebody's mouse.

That a browser keeps to it is in tests/browser/test_cross_origin.py.
"""

from tests.security.conftest import Walk


def test_no_page_lets_itself_be_framed(walk: Walk) -> None:
    for page, answer in walk.answers.items():
        assert answer["X-Frame-Options"] == "DENY", page
        assert "frame-ancestors 'none'" in answer["Content-Security-Policy"], page
