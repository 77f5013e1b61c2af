"""What the first demo store sells: clothes and gear for the outdoors."""

from stores.demo.catalogue import DemoCategory, DemoProduct, Options

CLOTHES: Options = ("Size", ("XS", "S", "M", "L", "XL", "XXL"))
SHOES: Options = ("Size", ("38", "39", "40", "41", "42", "43", "44", "45"))
SOCKS: Options = ("Size", ("36–38", "39–41", "42–44", "45–47"))
HUES: Options = ("Colour", ("Moss", "Slate", "Rust"))
ENAMEL: Options = ("Colour", ("Cream", "Pine", "Sky", "Charcoal"))
WOOL: Options = ("Colour", ("Oat", "Heather", "Ink"))
LENGTHS: Options = ("Length", ("Regular", "Long"))

CATEGORIES = (
    DemoCategory("Camping", "", "Everything for a night out, from the pegs up."),
    DemoCategory(
        "Tents & Shelters",
        "Camping",
        "Every pole, zip and buckle can be had as a spare part, for ten years at least.",
        (
            DemoProduct(
                "Ridgeline Tent",
                32900,
                "Two doors, two porches, and a fly that goes up first in the rain.",
                ("Sleeps", ("2 people", "3 people", "4 people")),
                price_step=7000,
                original_price=37900,
                promo_badge="Sale",
            ),
            DemoProduct(
                "Lone Larch Bivy", 18900, "A single-wall shelter that packs smaller than a loaf.", HUES
            ),
            DemoProduct("Harbor Tarp", 9400, "Nineteen tie-outs and a ridge line that never sags.", HUES),
            DemoProduct(
                "Basecamp Bell Tent",
                74900,
                "Cotton canvas, a stove port, and room for eight.",
                max_quantity=2,
            ),
            DemoProduct(
                "Y-Peg", 350, "Forged aluminum. Sold singly, because you only ever lose one.", min_quantity=4
            ),
            DemoProduct(
                "Footprint",
                4500,
                "A floor below the floor.",
                ("Fits", ("2 people", "3 people")),
                price_step=600,
            ),
        ),
    ),
    DemoCategory(
        "Sleeping",
        "Camping",
        "Down is washed and refilled in our own workshop.",
        (
            DemoProduct(
                "Northfall Down Bag",
                38900,
                "Warm at −10 °C, and 980 g in its sack.",
                LENGTHS,
                price_step=2500,
            ),
            DemoProduct(
                "Meadow Summer Bag",
                11900,
                "Opens flat into a quilt on warm nights.",
                LENGTHS,
                original_price=14900,
            ),
            DemoProduct("Tussock Sleeping Mat", 8900, "Closed-cell comfort, no valve to fail.", HUES),
            DemoProduct("Drift Air Pillow", 2900, "Brushed cover, one breath and a half."),
            DemoProduct("Two-Person Quilt", 24900, "For people who would rather not zip.", promo_badge="New"),
        ),
    ),
    DemoCategory(
        "Camp Kitchen",
        "Camping",
        "Wash by hand, dry by the fire.",
        (
            DemoProduct("Ember Gas Stove", 5900, "Boils a liter in three minutes, wind or no wind."),
            DemoProduct("Enamel Mug", 1400, "Chips with dignity.", ENAMEL, personalization=True),
            DemoProduct(
                "Enamel Plate Set", 3900, "Four plates, one for every argument.", ENAMEL, original_price=4600
            ),
            DemoProduct("Cedar Spork", 900, "Half spoon, half fork, wholly cedar."),
            DemoProduct("Trail Coffee Press", 4200, "Twelve ounces of courage.", promo_badge="Staff pick"),
            DemoProduct(
                "Cast Iron Skillet", 6400, "Seasoned twice before it leaves us.", ("Size", ("8 in", "10 in"))
            ),
            DemoProduct("Folding Saw", 4800, "Cuts on the pull, folds on the pocket side."),
            DemoProduct(
                "Spark Stick", 1600, "Lights wet kindling, some twelve thousand times.", personalization=True
            ),
        ),
    ),
    DemoCategory("Clothing", "", "Made to be worn out slowly, and mended in between."),
    DemoCategory(
        "Jackets",
        "Clothing",
        "Reproof after ten washes; we do it for the price of the postage.",
        (
            DemoProduct(
                "Squall Rain Jacket", 21900, "Three layers, two pockets, no logo on the chest.", CLOTHES
            ),
            DemoProduct(
                "Kestrel Wind Shell",
                10900,
                "A hundred grams against the ridge.",
                CLOTHES,
                original_price=13900,
            ),
            DemoProduct("Fell Down Jacket", 26900, "The one you forget to take off indoors.", CLOTHES),
            DemoProduct(
                "Shepherd Wool Coat", 34900, "Boiled wool, horn buttons.", CLOTHES, promo_badge="Last ones"
            ),
            DemoProduct("Field Vest", 12900, "Nine pockets, and you will use all nine.", CLOTHES),
        ),
    ),
    DemoCategory(
        "Shirts & Layers",
        "Clothing",
        "Merino is mulesing-free and traced to the farm.",
        (
            DemoProduct("Merino Base Layer", 7900, "Three days without anybody noticing.", CLOTHES),
            DemoProduct(
                "Cabin Flannel Shirt", 8400, "Brushed on both sides.", CLOTHES, promo_badge="Best seller"
            ),
            DemoProduct(
                "Trail Tee",
                3400,
                "Recycled cotton that dries on the line by lunch.",
                CLOTHES,
                original_price=3900,
            ),
            DemoProduct("Lookout Fleece", 9900, "Thick where the wind is.", CLOTHES),
            DemoProduct("Fisherman Sweater", 14900, "Knitted in one piece, cuffs you can darn.", CLOTHES),
        ),
    ),
    DemoCategory(
        "Trousers",
        "Clothing",
        "Hemmed for free, if you tell us the length.",
        (
            DemoProduct(
                "Scree Hiking Trousers", 11900, "Stretch where you climb, canvas where you slide.", CLOTHES
            ),
            DemoProduct(
                "Portage Shorts", 6900, "Quick to dry after the third crossing.", CLOTHES, original_price=8400
            ),
            DemoProduct("Downpour Overtrousers", 9900, "Full side zips, on over boots.", CLOTHES),
        ),
    ),
    DemoCategory("Footwear", "", "Feet swell by evening: try shoes then."),
    DemoCategory(
        "Boots",
        "Footwear",
        "Resoled up to three times.",
        (
            DemoProduct("Cairn Leather Boot", 27900, "Full grain, stitched, resoleable.", SHOES),
            DemoProduct(
                "Talus Approach Shoe", 14900, "Sticky rubber, quiet colors.", SHOES, original_price=17900
            ),
            DemoProduct("Bog Boot", 9900, "Natural rubber up to the knee.", SHOES),
        ),
    ),
    DemoCategory(
        "Socks & Care",
        "Footwear",
        "Socks are guaranteed until you lose one.",
        (
            DemoProduct(
                "Hiker Wool Socks", 2200, "Cushioned heel, seamless toe.", SOCKS, promo_badge="Best seller"
            ),
            DemoProduct("Hut Slippers", 5400, "Felt and leather, for after.", SOCKS),
            DemoProduct("Boot Grease", 1500, "Beeswax, pine tar, nothing else."),
            DemoProduct("Cedar Shoe Trees", 2900, "They put the shape back overnight."),
        ),
    ),
    DemoCategory("Packs & Gear", "", "What carries, cuts, lights and finds the way."),
    DemoCategory(
        "Backpacks",
        "Packs & Gear",
        "Straps, buckles and foam are replaced as long as the cloth holds.",
        (
            DemoProduct(
                "Long Haul Pack",
                24900,
                "A frame that moves with the hips.",
                ("Volume", ("45 l", "55 l", "65 l")),
                price_step=2000,
            ),
            DemoProduct("Day Loop Pack", 9900, "Twenty liters, one long zip.", HUES, original_price=11900),
            DemoProduct(
                "Forager Tote", 5900, "Waxed canvas with a wipeable floor.", HUES, personalization=True
            ),
            DemoProduct(
                "Dry Sack",
                1900,
                "Rolls shut four times.",
                ("Volume", ("5 l", "10 l", "20 l")),
                price_step=600,
            ),
        ),
    ),
    DemoCategory(
        "Tools & Light",
        "Packs & Gear",
        "Blades are sharpened for life: send them in.",
        (
            DemoProduct(
                "Pocket Knife No. 4", 6900, "One blade, walnut handle.", personalization=True, max_quantity=4
            ),
            DemoProduct("Carving Axe", 11900, "Hand-forged, with a leather mask."),
            DemoProduct("Beacon Headlamp", 5400, "Four hundred lumens and a red light for the hut."),
            DemoProduct("Storm Lantern", 7900, "Kerosene, brass, and no firmware.", promo_badge="Staff pick"),
            DemoProduct("Baseplate Compass", 3900, "With a mirror and declination you can set."),
            DemoProduct(
                "Trail Map Download", 700, "One region, printable, yours for good.", is_counted=False
            ),
        ),
    ),
    DemoCategory("Home", "", "The warm end of the day."),
    DemoCategory(
        "Blankets & Pillows",
        "Home",
        "Air them instead of washing them.",
        (
            DemoProduct(
                "Harbor Wool Blanket", 18900, "Woven on a loom older than we are.", WOOL, original_price=21900
            ),
            DemoProduct("Porch Throw", 8900, "Recycled wool, for two on a swing.", WOOL),
            DemoProduct("Linen Cushion", 4900, "Washed until it gave in.", WOOL),
            DemoProduct(
                "Sheepskin", 12900, "No two alike, please look at the photo twice.", promo_badge="One of each"
            ),
        ),
    ),
    DemoCategory(
        "Candles & Scent",
        "Home",
        "Trim the wick to a quarter inch.",
        (
            DemoProduct("Pine Resin Candle", 2800, "Forty hours of somewhere else."),
            DemoProduct("Beeswax Tapers", 1900, "A pair, dipped by hand.", ENAMEL),
            DemoProduct("Cedar Incense", 1200, "Thirty sticks and a stone to hold them."),
            DemoProduct("Balsam Sachet", 900, "For drawers and long drives.", min_quantity=2),
        ),
    ),
    DemoCategory(
        "Kitchen & Table",
        "Home",
        "Oil wood twice a year.",
        (
            DemoProduct("Maple Cutting Board", 7400, "End grain, with feet.", personalization=True),
            DemoProduct("Stoneware Bowl", 3200, "Thrown, not cast.", ENAMEL),
            DemoProduct("Linen Tea Towel", 1800, "Better by the tenth wash.", WOOL, original_price=2200),
            DemoProduct("Whistling Kettle", 6900, "Two notes, a third apart.", ENAMEL, promo_badge="New"),
        ),
    ),
    DemoCategory(
        "Gifts & Services",
        "",
        "For people who have everything except time.",
        (
            DemoProduct(
                "Gift Card",
                2500,
                "Never expires; neither do we, we hope.",
                ("Amount", ("$25", "$50", "$75", "$100")),
                price_step=2500,
                is_counted=False,
            ),
            DemoProduct(
                "Repair Voucher", 3500, "One repair of anything you can post to us.", is_counted=False
            ),
            DemoProduct(
                "Knife Sharpening",
                1200,
                "There and back within the week.",
                is_counted=False,
                has_pictures=False,
            ),
        ),
    ),
)
