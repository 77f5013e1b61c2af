"""What the demo stores sell: two shelves of things that do not exist, named by hand."""

from dataclasses import dataclass
from typing import NamedTuple

from stores.models import Coupon

Options = tuple[str, tuple[str, ...]]

CLOTHES: Options = ("Size", ("XS", "S", "M", "L", "XL", "XXL"))
SHOES: Options = ("Size", ("38", "39", "40", "41", "42", "43", "44", "45"))
SOCKS: Options = ("Size", ("36–38", "39–41", "42–44", "45–47"))
GLOVES: Options = ("Size", ("S", "M", "L", "XL"))
HUES: Options = ("Colour", ("Moss", "Slate", "Rust"))
ENAMEL: Options = ("Colour", ("Cream", "Pine", "Sky", "Charcoal"))
WOOL: Options = ("Colour", ("Oat", "Heather", "Ink"))
LENGTHS: Options = ("Length", ("Regular", "Long"))


class Item(NamedTuple):
    """A product. Prices are in the smallest unit; ``step`` is what each next variant costs more."""

    name: str
    price: int
    excerpt: str
    options: Options | None = None
    step: int = 0
    was: int | None = None
    badge: str = ""
    counted: bool = True
    personal: bool = False
    least: int = 1
    most: int | None = None
    pictured: bool = True


class Shelf(NamedTuple):
    """A category, the shelf it stands in (by name, empty at the top), and what lies directly on it."""

    name: str
    within: str
    note: str
    items: tuple[Item, ...] = ()


class Offer(NamedTuple):
    """A coupon, its times in days from now."""

    code: str
    kind: Coupon.Kind
    value: int
    starts_in: int
    ends_in: int | None = None
    minimum: int = 0
    limit: int | None = None
    used: int = 0


@dataclass(frozen=True)
class Shop:
    """All that a demo store is made from. Tax is in thousandths, and only people at home pay it."""

    id: int
    name: str
    currency: str
    owner: str
    home: str
    sku: str
    tax: int
    shipping: int
    free_shipping_from: int
    customers: int
    shelves: tuple[Shelf, ...]
    offers: tuple[Offer, ...]


OUTDOORS = (
    Shelf("Camping", "", "Everything for a night out, from the pegs up."),
    Shelf(
        "Tents & Shelters",
        "Camping",
        "Every pole, zip and buckle can be had as a spare part, for ten years at least.",
        (
            Item(
                "Ridgeline Tent",
                32900,
                "Two doors, two porches, and a fly that goes up first in the rain.",
                ("Sleeps", ("2 people", "3 people", "4 people")),
                step=7000,
                was=37900,
                badge="Sale",
            ),
            Item("Lone Larch Bivy", 18900, "A single-wall shelter that packs smaller than a loaf.", HUES),
            Item("Harbor Tarp", 9400, "Nineteen tie-outs and a ridge line that never sags.", HUES),
            Item("Basecamp Bell Tent", 74900, "Cotton canvas, a stove port, and room for eight.", most=2),
            Item("Y-Peg", 350, "Forged aluminum. Sold singly, because you only ever lose one.", least=4),
            Item("Footprint", 4500, "A floor below the floor.", ("Fits", ("2 people", "3 people")), step=600),
        ),
    ),
    Shelf(
        "Sleeping",
        "Camping",
        "Down is washed and refilled in our own workshop.",
        (
            Item("Northfall Down Bag", 38900, "Warm at −10 °C, and 980 g in its sack.", LENGTHS, step=2500),
            Item("Meadow Summer Bag", 11900, "Opens flat into a quilt on warm nights.", LENGTHS, was=14900),
            Item("Tussock Sleeping Mat", 8900, "Closed-cell comfort, no valve to fail.", HUES),
            Item("Drift Air Pillow", 2900, "Brushed cover, one breath and a half."),
            Item("Two-Person Quilt", 24900, "For people who would rather not zip.", badge="New"),
        ),
    ),
    Shelf(
        "Camp Kitchen",
        "Camping",
        "Wash by hand, dry by the fire.",
        (
            Item("Ember Gas Stove", 5900, "Boils a liter in three minutes, wind or no wind."),
            Item("Enamel Mug", 1400, "Chips with dignity.", ENAMEL, personal=True),
            Item("Enamel Plate Set", 3900, "Four plates, one for every argument.", ENAMEL, was=4600),
            Item("Cedar Spork", 900, "Half spoon, half fork, wholly cedar."),
            Item("Trail Coffee Press", 4200, "Twelve ounces of courage.", badge="Staff pick"),
            Item(
                "Cast Iron Skillet", 6400, "Seasoned twice before it leaves us.", ("Size", ("8 in", "10 in"))
            ),
            Item("Folding Saw", 4800, "Cuts on the pull, folds on the pocket side."),
            Item("Spark Stick", 1600, "Lights wet kindling, some twelve thousand times.", personal=True),
        ),
    ),
    Shelf("Clothing", "", "Made to be worn out slowly, and mended in between."),
    Shelf(
        "Jackets",
        "Clothing",
        "Reproof after ten washes; we do it for the price of the postage.",
        (
            Item("Squall Rain Jacket", 21900, "Three layers, two pockets, no logo on the chest.", CLOTHES),
            Item("Kestrel Wind Shell", 10900, "A hundred grams against the ridge.", CLOTHES, was=13900),
            Item("Fell Down Jacket", 26900, "The one you forget to take off indoors.", CLOTHES),
            Item("Shepherd Wool Coat", 34900, "Boiled wool, horn buttons.", CLOTHES, badge="Last ones"),
            Item("Field Vest", 12900, "Nine pockets, and you will use all nine.", CLOTHES),
        ),
    ),
    Shelf(
        "Shirts & Layers",
        "Clothing",
        "Merino is mulesing-free and traced to the farm.",
        (
            Item("Merino Base Layer", 7900, "Three days without anybody noticing.", CLOTHES),
            Item("Cabin Flannel Shirt", 8400, "Brushed on both sides.", CLOTHES, badge="Best seller"),
            Item("Trail Tee", 3400, "Recycled cotton that dries on the line by lunch.", CLOTHES, was=3900),
            Item("Lookout Fleece", 9900, "Thick where the wind is.", CLOTHES),
            Item("Fisherman Sweater", 14900, "Knitted in one piece, cuffs you can darn.", CLOTHES),
        ),
    ),
    Shelf(
        "Trousers",
        "Clothing",
        "Hemmed for free, if you tell us the length.",
        (
            Item("Scree Hiking Trousers", 11900, "Stretch where you climb, canvas where you slide.", CLOTHES),
            Item("Portage Shorts", 6900, "Quick to dry after the third crossing.", CLOTHES, was=8400),
            Item("Downpour Overtrousers", 9900, "Full side zips, on over boots.", CLOTHES),
        ),
    ),
    Shelf("Footwear", "", "Feet swell by evening: try shoes then."),
    Shelf(
        "Boots",
        "Footwear",
        "Resoled up to three times.",
        (
            Item("Cairn Leather Boot", 27900, "Full grain, stitched, resoleable.", SHOES),
            Item("Talus Approach Shoe", 14900, "Sticky rubber, quiet colors.", SHOES, was=17900),
            Item("Bog Boot", 9900, "Natural rubber up to the knee.", SHOES),
        ),
    ),
    Shelf(
        "Socks & Care",
        "Footwear",
        "Socks are guaranteed until you lose one.",
        (
            Item("Hiker Wool Socks", 2200, "Cushioned heel, seamless toe.", SOCKS, badge="Best seller"),
            Item("Hut Slippers", 5400, "Felt and leather, for after.", SOCKS),
            Item("Boot Grease", 1500, "Beeswax, pine tar, nothing else."),
            Item("Cedar Shoe Trees", 2900, "They put the shape back overnight."),
        ),
    ),
    Shelf("Packs & Gear", "", "What carries, cuts, lights and finds the way."),
    Shelf(
        "Backpacks",
        "Packs & Gear",
        "Straps, buckles and foam are replaced as long as the cloth holds.",
        (
            Item(
                "Long Haul Pack",
                24900,
                "A frame that moves with the hips.",
                ("Volume", ("45 l", "55 l", "65 l")),
                step=2000,
            ),
            Item("Day Loop Pack", 9900, "Twenty liters, one long zip.", HUES, was=11900),
            Item("Forager Tote", 5900, "Waxed canvas with a wipeable floor.", HUES, personal=True),
            Item("Dry Sack", 1900, "Rolls shut four times.", ("Volume", ("5 l", "10 l", "20 l")), step=600),
        ),
    ),
    Shelf(
        "Tools & Light",
        "Packs & Gear",
        "Blades are sharpened for life: send them in.",
        (
            Item("Pocket Knife No. 4", 6900, "One blade, walnut handle.", personal=True, most=4),
            Item("Carving Axe", 11900, "Hand-forged, with a leather mask."),
            Item("Beacon Headlamp", 5400, "Four hundred lumens and a red light for the hut."),
            Item("Storm Lantern", 7900, "Kerosene, brass, and no firmware.", badge="Staff pick"),
            Item("Baseplate Compass", 3900, "With a mirror and declination you can set."),
            Item("Trail Map Download", 700, "One region, printable, yours for good.", counted=False),
        ),
    ),
    Shelf("Home", "", "The warm end of the day."),
    Shelf(
        "Blankets & Pillows",
        "Home",
        "Air them instead of washing them.",
        (
            Item("Harbor Wool Blanket", 18900, "Woven on a loom older than we are.", WOOL, was=21900),
            Item("Porch Throw", 8900, "Recycled wool, for two on a swing.", WOOL),
            Item("Linen Cushion", 4900, "Washed until it gave in.", WOOL),
            Item("Sheepskin", 12900, "No two alike, please look at the photo twice.", badge="One of each"),
        ),
    ),
    Shelf(
        "Candles & Scent",
        "Home",
        "Trim the wick to a quarter inch.",
        (
            Item("Pine Resin Candle", 2800, "Forty hours of somewhere else."),
            Item("Beeswax Tapers", 1900, "A pair, dipped by hand.", ENAMEL),
            Item("Cedar Incense", 1200, "Thirty sticks and a stone to hold them."),
            Item("Balsam Sachet", 900, "For drawers and long drives.", least=2),
        ),
    ),
    Shelf(
        "Kitchen & Table",
        "Home",
        "Oil wood twice a year.",
        (
            Item("Maple Cutting Board", 7400, "End grain, with feet.", personal=True),
            Item("Stoneware Bowl", 3200, "Thrown, not cast.", ENAMEL),
            Item("Linen Tea Towel", 1800, "Better by the tenth wash.", WOOL, was=2200),
            Item("Whistling Kettle", 6900, "Two notes, a third apart.", ENAMEL, badge="New"),
        ),
    ),
    Shelf(
        "Gifts & Services",
        "",
        "For people who have everything except time.",
        (
            Item(
                "Gift Card",
                2500,
                "Never expires; neither do we, we hope.",
                ("Amount", ("$25", "$50", "$75", "$100")),
                step=2500,
                counted=False,
            ),
            Item("Repair Voucher", 3500, "One repair of anything you can post to us.", counted=False),
            Item("Knife Sharpening", 1200, "There and back within the week.", counted=False, pictured=False),
        ),
    ),
)

PAPER = (
    Shelf("Paper", "", "Made from kōzo, a sheet at a time."),
    Shelf(
        "Sheets",
        "Paper",
        "Store flat and dark.",
        (
            Item("Kōzo Sheet", 880, "Undyed, with its four deckle edges.", ("Weight", ("Thin", "Heavy"))),
            Item("Indigo Sheet", 1650, "Dyed in the vat, seven times."),
            Item("Mica Sheet", 1320, "It catches the light from the side.", was=1540, badge="Sale"),
            Item("Offcuts, 500 g", 1100, "What the cutter left.", badge="Low waste", pictured=False),
        ),
    ),
    Shelf(
        "Notebooks",
        "Paper",
        "Sewn, so that they lie open.",
        (
            Item("Pocket Notebook", 1430, "Sixty-four pages.", ("Ruling", ("Blank", "Grid", "Lines"))),
            Item("Desk Notebook", 2860, "Two hundred pages and a ribbon.", ("Ruling", ("Blank", "Grid"))),
            Item("Concertina Album", 3960, "Twenty-two folds.", personal=True),
        ),
    ),
    Shelf(
        "Writing",
        "",
        "Try the ink on an offcut first.",
        (
            Item("Letter Set", 1980, "Twelve sheets, eight envelopes."),
            Item("Sumi Ink Stick", 2420, "Pine soot, a plum blossom on the side."),
            Item(
                "Goat Hair Brush",
                3300,
                "It wants to be wet.",
                ("Size", ("Small", "Medium", "Large")),
                step=600,
            ),
            Item("Ink Stone", 8800, "Heavy enough to stay.", was=9900),
        ),
    ),
    Shelf(
        "Workshops",
        "",
        "In Kyoto, on Saturdays.",
        (Item("Paper Making, One Day", 13200, "Wear something that may get wet.", counted=False, most=4),),
    ),
)

NORTHWOOD = Shop(
    id=267418190,
    name="Northwood Outfitters",
    currency="USD",
    owner="owner@example.com",
    home="US",
    sku="NW",
    tax=72,
    shipping=895,
    free_shipping_from=15000,
    customers=180,
    shelves=OUTDOORS,
    offers=(
        Offer("WELCOME10", Coupon.Kind.PERCENT, 10, starts_in=-400, used=143),
        Offer("FREESHIP75", Coupon.Kind.FREE_SHIPPING, 0, starts_in=-90, minimum=7500, used=61),
        Offer("TRAIL25", Coupon.Kind.FIXED, 2500, starts_in=-20, ends_in=25, minimum=15000, used=17),
        Offer("NEXTSEASON", Coupon.Kind.PERCENT, 15, starts_in=21, ends_in=50),
        Offer("HUTWEEK", Coupon.Kind.FREE_SHIPPING, 0, starts_in=9, ends_in=16, limit=200),
        Offer("CLEARANCE30", Coupon.Kind.PERCENT, 30, starts_in=-120, ends_in=-90, used=88),
        Offer("FIRST100", Coupon.Kind.FIXED, 1500, starts_in=-200, limit=100, used=100),
        Offer("FRIENDS20", Coupon.Kind.PERCENT, 20, starts_in=-60, limit=50, used=12),
    ),
)

KOBO = Shop(
    id=518203746,
    name="Kōbō Paper",
    currency="JPY",
    owner="second@example.com",
    home="JP",
    sku="KP",
    tax=100,
    shipping=700,
    free_shipping_from=8000,
    customers=25,
    shelves=PAPER,
    offers=(
        Offer("HAJIME", Coupon.Kind.PERCENT, 10, starts_in=-300, used=9),
        Offer("TSUYU500", Coupon.Kind.FIXED, 500, starts_in=-150, ends_in=-120, minimum=3000, used=6),
        Offer("SOURYOU", Coupon.Kind.FREE_SHIPPING, 0, starts_in=-30, minimum=5000, limit=40, used=4),
    ),
)
