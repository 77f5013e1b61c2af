"""Texts from outside, as they are kept and compared."""

import pytest
from django.core.exceptions import ValidationError
from django.utils.html import linebreaks
from hypothesis import given, settings
from hypothesis import strategies as st

from stores.text import MAX_MARKS, clean_name, clean_text, comparable, to_html, visible_part

# Their composed and their compatibility form are longer than they are.
GROWS_COMPOSED = "\u0958" * 51
GROWS_FOLDED = "\ufdfa" * 23


@pytest.mark.parametrize("name", ["x" * 101, GROWS_COMPOSED, GROWS_FOLDED])
def test_clean_name_refuses_what_is_too_long_in_any_form(name: str) -> None:
    with pytest.raises(ValidationError) as refused:
        clean_name(name)
    assert refused.value.code == "max_length"


def test_clean_text_counts_a_line_break_once_and_composes() -> None:
    assert clean_text("e\u0301\r\n" * 3, max_length=9) == "é\né\né"
    with pytest.raises(ValidationError):
        clean_text("x\r\ny", max_length=2)


def test_comparable_keeps_so_many_marks_as_any_script_has() -> None:
    assert comparable("a" + "\u0316" * MAX_MARKS) == comparable("A" + "\u0316" * 10_000)


@settings(deadline=None)
@given(st.text(alphabet=st.characters(min_codepoint=0, max_codepoint=126)))
def test_comparable_finds_plain_texts_like_their_full_width_forms(text: str) -> None:
    full_width = text.translate({code: code + 0xFEE0 for code in range(0x21, 0x7F)})
    assert comparable(text) == comparable(full_width)


def test_visible_part_is_what_a_person_sees() -> None:
    assert visible_part(" Cafe\u0301\u200b \u202eBar") == "Café Bar"


@settings(deadline=None)
@given(st.text(alphabet="a é<>&\"'\n\r"))
def test_to_html_escapes_and_breaks_lines_as_django_does(text: str) -> None:
    assert to_html(text) == linebreaks(text, autoescape=True)
