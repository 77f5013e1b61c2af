"""The second demo store: Kōbō Paper, whose currency has no decimals."""

from stores.demo.catalogue import DemoCategory, DemoCoupon, DemoProduct, DemoStore
from stores.models import Coupon

CATEGORIES = (
    DemoCategory("Paper", "", "Made from kōzo, a sheet at a time."),
    DemoCategory(
        "Sheets",
        "Paper",
        "Store flat and dark.",
        (
            DemoProduct(
                "Kōzo Sheet", 880, "Undyed, with its four deckle edges.", ("Weight", ("Thin", "Heavy"))
            ),
            DemoProduct("Indigo Sheet", 1650, "Dyed in the vat, seven times."),
            DemoProduct(
                "Mica Sheet",
                1320,
                "It catches the light from the side.",
                original_price=1540,
                promo_badge="Sale",
            ),
            DemoProduct(
                "Offcuts, 500 g", 1100, "What the cutter left.", promo_badge="Low waste", has_pictures=False
            ),
        ),
    ),
    DemoCategory(
        "Notebooks",
        "Paper",
        "Sewn, so that they lie open.",
        (
            DemoProduct("Pocket Notebook", 1430, "Sixty-four pages.", ("Ruling", ("Blank", "Grid", "Lines"))),
            DemoProduct(
                "Desk Notebook", 2860, "Two hundred pages and a ribbon.", ("Ruling", ("Blank", "Grid"))
            ),
            DemoProduct("Concertina Album", 3960, "Twenty-two folds.", personalization=True),
        ),
    ),
    DemoCategory(
        "Writing",
        "",
        "Try the ink on an offcut first.",
        (
            DemoProduct("Letter Set", 1980, "Twelve sheets, eight envelopes."),
            DemoProduct("Sumi Ink Stick", 2420, "Pine soot, a plum blossom on the side."),
            DemoProduct(
                "Goat Hair Brush",
                3300,
                "It wants to be wet.",
                ("Size", ("Small", "Medium", "Large")),
                price_step=600,
            ),
            DemoProduct("Ink Stone", 8800, "Heavy enough to stay.", original_price=9900),
        ),
    ),
    DemoCategory(
        "Workshops",
        "",
        "In Kyoto, on Saturdays.",
        (
            DemoProduct(
                "Paper Making, One Day",
                13200,
                "Wear something that may get wet.",
                is_counted=False,
                max_quantity=4,
            ),
        ),
    ),
)

KOBO = DemoStore(
    id=518203746,
    name="Kōbō Paper",
    currency="JPY",
    owner="second@example.com",
    home_country="JP",
    sku_prefix="KP",
    tax_per_mille=100,
    shipping=700,
    free_shipping_from=8000,
    min_customers=25,
    categories=CATEGORIES,
    coupons=(
        DemoCoupon("HAJIME", Coupon.Kind.PERCENT, 10, starts_in=-300, times_used=9),
        DemoCoupon(
            "TSUYU500", Coupon.Kind.FIXED, 500, starts_in=-150, ends_in=-120, minimum=3000, times_used=6
        ),
        DemoCoupon(
            "SOURYOU", Coupon.Kind.FREE_SHIPPING, 0, starts_in=-30, minimum=5000, usage_limit=40, times_used=4
        ),
    ),
)
