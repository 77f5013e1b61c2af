"""Amounts of money: integers in a currency's smallest unit, and their text."""

from decimal import Decimal
from functools import lru_cache
from typing import TypedDict

from babel.numbers import format_currency, get_currency_name, get_currency_precision, is_currency
from django.core.exceptions import ValidationError

LOCALE = "en_US"


class Currency(TypedDict):
    code: str
    name: str
    zero_decimal: bool


def validate_currency(code: str) -> None:
    """Raise ValidationError unless this is the code of a currency, such as JPY."""
    if not is_currency(code):
        raise ValidationError("Must be an ISO 4217 code in capital letters, such as USD.")


@lru_cache(maxsize=256)
def get_currency(code: str) -> Currency:
    """Return what clients are told of a currency, with its English name in the CLDR."""
    name = get_currency_name(code, locale=LOCALE)
    return {"code": code, "name": name, "zero_decimal": get_currency_precision(code) == 0}


@lru_cache(maxsize=16_384)
def format_amount(amount: int, code: str) -> str:
    """Return an amount in the smallest unit as text: 1999 of USD is ``$19.99``."""
    places = get_currency_precision(code)
    return format_currency(Decimal(amount).scaleb(-places), code, locale=LOCALE)
