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


def words(text: str) -> tuple[str, ...]:
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
        words("Maya Caleb Priya Jonah Tessa Marcus Elena Wyatt Naomi Darius Hazel Ruben"),
        words("Whitaker Okafor Lindqvist Delgado Brennan Nakamura Hollis Patel Vance Moreno"),
    ),
    Country(
        "CA",
        "+1 604 555 01##",
        "{number} {street}",
        ("Granville St", "Cedar Hill Rd", "Rue Saint-Denis", "Queen St W", "Bow Trail"),
        (("Vancouver", "BC", "V6B #K#"), ("Calgary", "AB", "T2P #J#"), ("Montréal", "QC", "H2X #L#")),
        words("Amélie Connor Sophie Liam Jasmine Étienne Wren Gurpreet"),
        words("Tremblay MacLeod Singh Gagnon Fraser Chen Bouchard Reid"),
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
        words("Imogen Alistair Zainab Rhys Beatrix Callum Nia Oliver"),
        words("Ashworth Campbell Rahman Pritchard Thackeray Begum Fairclough Doyle"),
    ),
    Country(
        "IE",
        "+353 20 91# ####",
        "{number} {street}",
        ("Shop Street", "Quay Street", "Patrick Street", "Dame Street"),
        (("Dublin", "", "D02 X2##"), ("Galway", "", "H91 E2##"), ("Cork", "", "T12 W8##")),
        words("Saoirse Cian Aoife Fionn Niamh Oisín"),
        words("Byrne Gallagher Brennan Kavanagh Walsh Keane"),
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
        words("Jonas Annika Emre Lotte Matthias Greta Milan Frieda"),
        words("Krämer Vogel Yilmaz Schönfeld Brandt Hübner Lorenz Winkler"),
    ),
    Country(
        "FR",
        "+33 1 99 00 ## ##",
        "{number} {street}",
        ("rue des Lilas", "avenue Jean-Jaurès", "chemin du Moulin", "place de l’Église"),
        (("Chamonix", "", "744##"), ("Lyon", "", "690##"), ("Nantes", "", "440##"), ("Paris", "", "750##")),
        words("Camille Théo Léa Hugo Inès Mathieu Chloé Bastien"),
        words("Lefèvre Moreau Benali Girard Faure Roussel Chevalier Meunier"),
    ),
    Country(
        "SE",
        "+46 8 465 004 ##",
        "{street} {number}",
        ("Storgatan", "Kungsgatan", "Björkvägen", "Hamngatan"),
        (("Stockholm", "", "111 ##"), ("Göteborg", "", "411 ##"), ("Kiruna", "", "981 ##")),
        words("Elsa Nils Astrid Viktor Maja Gustav"),
        words("Lindström Ek Åkesson Sjöberg Nyström Holm"),
    ),
    Country(
        "AU",
        "+61 2 5550 ####",
        "{number} {street}",
        ("Bourke St", "Wattle Grove", "Ocean Pde", "Station St"),
        (("Hobart", "TAS", "70##"), ("Melbourne", "VIC", "30##"), ("Katoomba", "NSW", "27##")),
        words("Matilda Jack Ruby Angus Ngaire Lachlan"),
        words("O’Reilly Nguyen Fitzgerald Papadopoulos Hughes Barker"),
    ),
    Country(
        "NL",
        "+31 20 000 ####",
        "{street} {number}",
        ("Prinsengracht", "Dorpsstraat", "Molenweg", "Kastanjelaan"),
        (("Amsterdam", "", "10## KV"), ("Utrecht", "", "35## CL"), ("Groningen", "", "97## BA")),
        words("Sanne Daan Fleur Ruben Noor Joris"),
        words("Bakker Visser Smit Dekker Mulder Verhoeven"),
    ),
    Country(
        "BR",
        "+55 11 0###-####",
        "{street}, {number}",
        ("Rua das Acácias", "Avenida Paulista", "Rua do Comércio", "Travessa da Serra"),
        (("São Paulo", "SP", "013##-000"), ("Curitiba", "PR", "800##-010"), ("Gramado", "RS", "956##-000")),
        words("Luíza João Beatriz Thiago Antônia Rafael"),
        words("Almeida Conceição Figueiredo Barbosa Araújo Pereira"),
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
        words("Haruka Kenji Yui Sōta Aiko Daichi Mei Tatsuya"),
        words("Tanaka Inoue Ōno Fujimoto Kobayashi Mori Hayashi Satō"),
    ),
)


def people(count: int, *, home: str, rng: random.Random) -> Iterator[Person]:
    """People with an e-mail address each of their own, every second one from the country ``home``."""
    neighbours = [country for country in COUNTRIES if country.code == home]
    namesakes: Counter[str] = Counter()
    for _ in range(count):
        country = rng.choice(neighbours if rng.random() < 0.5 else COUNTRIES)
        name = f"{rng.choice(country.first_names)} {rng.choice(country.last_names)}"
        mailbox = slugify(name).replace("-", ".")
        namesakes[mailbox] += 1
        suffix = namesakes[mailbox] if namesakes[mailbox] > 1 else ""
        city, state, postcode = rng.choice(country.cities)
        yield Person(
            name=name,
            email=f"{mailbox}{suffix}@example.{rng.choice(('com', 'com', 'org', 'net'))}",
            phone=digits(country.phone, rng) if rng.random() < 0.9 else "",
            address=country.address.format(number=rng.randint(1, 240), street=rng.choice(country.streets)),
            city=city,
            postcode=digits(postcode, rng),
            state=state,
            country=country.code,
        )


def digits(pattern: str, rng: random.Random) -> str:
    """The pattern with a digit for each #."""
    return "".join(str(rng.randrange(10)) if character == "#" else character for character in pattern)
