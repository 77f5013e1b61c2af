"""Amounts of money: integers in a currency's smallest unit, and their text.

The unit is that of ISO 4217. The CLDR has digits of its own, those that people write, for the text.
"""

from decimal import Decimal
from functools import lru_cache

from babel.numbers import format_currency, get_currency_name, is_currency
from django.core.exceptions import ValidationError

LOCALE = "en_US"
DEFAULT_EXPONENT = 2
# ISO 4217, list one: the currencies whose smallest unit is not a hundredth.
EXPONENTS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"), 0),
    **dict.fromkeys(("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}


def validate_currency(code: str) -> None:
    """Raise ValidationError unless this is the code of a currency, such as JPY."""
    if not is_currency(code):
        raise ValidationError("Must be an ISO 4217 code in capital letters, such as USD.")


def get_exponent(code: str) -> int:
    """Return how many decimal digits of the currency its smallest unit is: 2 for cents, 0 for yen."""
    return EXPONENTS.get(code, DEFAULT_EXPONENT)


def get_name(code: str) -> str:
    """Return the currency's English name in the CLDR, such as ``US Dollar``."""
    return get_currency_name(code, locale=LOCALE)


@lru_cache(maxsize=16_384)
def format_amount(amount: int, code: str) -> str:
    """Return an amount in the smallest unit as text: 1999 of USD is ``$19.99``."""
    return format_currency(Decimal(amount).scaleb(-get_exponent(code)), code, locale=LOCALE)
