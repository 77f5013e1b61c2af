"""Amounts in the smallest unit, as people write them."""

import pytest
from django.core.exceptions import ValidationError

from stores.api.outputs import Currency, get_currency
from stores.money import format_amount, validate_currency


@pytest.mark.parametrize(
    ("amount", "code", "text"),
    [
        (1999, "USD", "$19.99"),
        (5, "USD", "$0.05"),
        (123456789, "USD", "$1,234,567.89"),
        (10**18 + 1, "USD", "$10,000,000,000,000,000.01"),
        (1999, "EUR", "€19.99"),
        (1999, "JPY", "¥1,999"),
        (1999, "KWD", "KWD1.999"),
        # A hundredth of a dinar is the unit (ISO 4217), though nobody writes it (CLDR).
        (123456, "RSD", "RSD1,235"),
        (1234, "UGX", "UGX1,234"),
    ],
)
def test_an_amount_has_the_places_of_its_currency(amount: int, code: str, text: str) -> None:
    assert format_amount(amount, code) == text


def test_a_currency_says_whether_it_has_a_smaller_unit() -> None:
    assert get_currency("USD") == Currency("USD", "US Dollar", zero_decimal=False)
    assert get_currency("JPY") == Currency("JPY", "Japanese Yen", zero_decimal=True)
    assert [get_currency(code).zero_decimal for code in ("RSD", "ALL", "LBP", "IQD")] == [False] * 4


@pytest.mark.parametrize("code", ["", "usd", "XQQ", "US", "DOLLAR"])
def test_a_currency_is_one_that_exists(code: str) -> None:
    validate_currency("USD")
    with pytest.raises(ValidationError, match="ISO 4217"):
        validate_currency(code)
