"""Who buys from the demo stores: names and places that go together, phone numbers that are nobody's."""

import random
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from django.utils.text import slugify


class Country(NamedTuple):
    """Where people live and what they are called. In ``phone`` and postcodes each # is a digit."""

    code: str
    phone: str
    address: str
    streets: tuple[str, ...]
    cities: tuple[tuple[str, str, str], ...]
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]


class Person(NamedTuple):
    name: str
    email: str
    phone: str
    address: str
    city: str
    postcode: str
    state: str
    country: str


def split_names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


COUNTRIES = (
    Country(
        "US",
        "+1 503 555 01##",
        "{number} {street}",
        ("Alder St", "Mill Creek Rd", "Burnside Ave", "Juniper Ln", "Hawthorne Blvd", "Lakeshore Dr"),
        (
            ("Portland", "OR", "972##"),
            ("Bozeman", "MT", "597##"),
            ("Burlington", "VT", "054##"),
            ("Boulder", "CO", "803##"),
            ("Duluth", "MN", "558##"),
            ("Asheville", "NC", "288##"),
        ),
        split_names("Maya Caleb Priya Jonah Tessa Marcus Elena Wyatt Naomi Darius Hazel Ruben"),
        split_names("Whitaker Okafor Lindqvist Delgado Brennan Nakamura Hollis Patel Vance Moreno"),
    ),
    Country(
        "CA",
        "+1 604 555 01##",
        "{number} {street}",
        ("Granville St", "Cedar Hill Rd", "Rue Saint-Denis", "Queen St W", "Bow Trail"),
        (("Vancouver", "BC", "V6B #K#"), ("Calgary", "AB", "T2P #J#"), ("Montréal", "QC", "H2X #L#")),
        split_names("Amélie Connor Sophie Liam Jasmine Étienne Wren Gurpreet"),
        split_names("Tremblay MacLeod Singh Gagnon Fraser Chen Bouchard Reid"),
    ),
    Country(
        "GB",
        "+44 20 7946 0###",
        "{number} {street}",
        ("High Street", "Station Road", "Church Lane", "Victoria Terrace", "Mill Bank"),
        (
            ("Edinburgh", "", "EH3 #QN"),
            ("Bristol", "", "BS1 #TR"),
            ("Keswick", "Cumbria", "CA12 #LJ"),
            ("Leeds", "", "LS1 #BD"),
        ),
        split_names("Imogen Alistair Zainab Rhys Beatrix Callum Nia Oliver"),
        split_names("Ashworth Campbell Rahman Pritchard Thackeray Begum Fairclough Doyle"),
    ),
    Country(
        "IE",
        "+353 20 91# ####",
        "{number} {street}",
        ("Shop Street", "Quay Street", "Patrick Street", "Dame Street"),
        (("Dublin", "", "D02 X2##"), ("Galway", "", "H91 E2##"), ("Cork", "", "T12 W8##")),
        split_names("Saoirse Cian Aoife Fionn Niamh Oisín"),
        split_names("Byrne Gallagher Brennan Kavanagh Walsh Keane"),
    ),
    Country(
        "DE",
        "+49 30 23125 ###",
        "{street} {number}",
        ("Lindenstraße", "Am Markt", "Gartenweg", "Schillerplatz", "Bergstraße"),
        (
            ("Berlin", "", "104##"),
            ("Freiburg", "", "791##"),
            ("Garmisch-Partenkirchen", "", "824##"),
            ("Hamburg", "", "203##"),
        ),
        split_names("Jonas Annika Emre Lotte Matthias Greta Milan Frieda"),
        split_names("Krämer Vogel Yilmaz Schönfeld Brandt Hübner Lorenz Winkler"),
    ),
    Country(
        "FR",
        "+33 1 99 00 ## ##",
        "{number} {street}",
        ("rue des Lilas", "avenue Jean-Jaurès", "chemin du Moulin", "place de l’Église"),
        (("Chamonix", "", "744##"), ("Lyon", "", "690##"), ("Nantes", "", "440##"), ("Paris", "", "750##")),
        split_names("Camille Théo Léa Hugo Inès Mathieu Chloé Bastien"),
        split_names("Lefèvre Moreau Benali Girard Faure Roussel Chevalier Meunier"),
    ),
    Country(
        "SE",
        "+46 8 465 004 ##",
        "{street} {number}",
        ("Storgatan", "Kungsgatan", "Björkvägen", "Hamngatan"),
        (("Stockholm", "", "111 ##"), ("Göteborg", "", "411 ##"), ("Kiruna", "", "981 ##")),
        split_names("Elsa Nils Astrid Viktor Maja Gustav"),
        split_names("Lindström Ek Åkesson Sjöberg Nyström Holm"),
    ),
    Country(
        "AU",
        "+61 2 5550 ####",
        "{number} {street}",
        ("Bourke St", "Wattle Grove", "Ocean Pde", "Station St"),
        (("Hobart", "TAS", "70##"), ("Melbourne", "VIC", "30##"), ("Katoomba", "NSW", "27##")),
        split_names("Matilda Jack Ruby Angus Ngaire Lachlan"),
        split_names("O’Reilly Nguyen Fitzgerald Papadopoulos Hughes Barker"),
    ),
    Country(
        "NL",
        "+31 20 000 ####",
        "{street} {number}",
        ("Prinsengracht", "Dorpsstraat", "Molenweg", "Kastanjelaan"),
        (("Amsterdam", "", "10## KV"), ("Utrecht", "", "35## CL"), ("Groningen", "", "97## BA")),
        split_names("Sanne Daan Fleur Ruben Noor Joris"),
        split_names("Bakker Visser Smit Dekker Mulder Verhoeven"),
    ),
    Country(
        "BR",
        "+55 11 0###-####",
        "{street}, {number}",
        ("Rua das Acácias", "Avenida Paulista", "Rua do Comércio", "Travessa da Serra"),
        (("São Paulo", "SP", "013##-000"), ("Curitiba", "PR", "800##-010"), ("Gramado", "RS", "956##-000")),
        split_names("Luíza João Beatriz Thiago Antônia Rafael"),
        split_names("Almeida Conceição Figueiredo Barbosa Araújo Pereira"),
    ),
    Country(
        "JP",
        "+81 3 0### ####",
        "{street} {number}",
        ("Higashiyama 2-chome", "Kamimeguro 1-chome", "Teramachi-dori", "Minami 3-jo"),
        (
            ("Kyoto", "Kyoto", "604-80##"),
            ("Meguro", "Tokyo", "153-00##"),
            ("Sapporo", "Hokkaido", "060-00##"),
            ("Kanazawa", "Ishikawa", "920-08##"),
        ),
        split_names("Haruka Kenji Yui Sōta Aiko Daichi Mei Tatsuya"),
        split_names("Tanaka Inoue Ōno Fujimoto Kobayashi Mori Hayashi Satō"),
    ),
)


def generate_people(count: int, *, home_country: str, rng: random.Random) -> Iterator[Person]:
    """Yield people, each with an e-mail address of their own, every second one from the home country."""
    home_countries = [country for country in COUNTRIES if country.code == home_country]
    name_counts: Counter[str] = Counter()
    for _ in range(count):
        country = rng.choice(home_countries if rng.random() < 0.5 else COUNTRIES)
        name = f"{rng.choice(country.first_names)} {rng.choice(country.last_names)}"
        mailbox = slugify(name).replace("-", ".")
        name_counts[mailbox] += 1
        suffix = name_counts[mailbox] if name_counts[mailbox] > 1 else ""
        city, state, postcode = rng.choice(country.cities)
        yield Person(
            name=name,
            email=f"{mailbox}{suffix}@example.{rng.choice(('com', 'com', 'org', 'net'))}",
            phone=fill_digits(country.phone, rng) if rng.random() < 0.9 else "",
            address=country.address.format(number=rng.randint(1, 240), street=rng.choice(country.streets)),
            city=city,
            postcode=fill_digits(postcode, rng),
            state=state,
            country=country.code,
        )


def fill_digits(pattern: str, rng: random.Random) -> str:
    """Return the pattern with a random digit for each #."""
    return "".join(str(rng.randrange(10)) if character == "#" else character for character in pattern)
