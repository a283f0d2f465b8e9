"""Sentences of our own that a service's voice must say: bookings, money, dates, codes, questions, dialogue.

Books hold few of them. Each is drawn at random and then read by the product's own normaliser.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random


def _words(text: str) -> list[str]:
    return text.split()


NAMES = _words("""Anna Ben Carla David Emma Frank Grace Henry Irene Jack Karen Liam Maria Noah Olivia Peter
Quinn Rachel Sam Tina Victor Wendy Aisha Chen Diego Elena Fatima George Hiroshi Ingrid Jamal
Katarina Lucia Mateo Nadia Omar Priya Rajesh Sofia Thomas Yusuf Zoe Charlotte Benjamin
Abigail Nathaniel Gwendolyn Siobhan""")
SURNAMES = _words("""Smith Johnson Garcia Miller O'Brien Nguyen Patel Kowalski Schmidt Rossi Andersson Okafor
Yamamoto Fitzgerald Hernandez MacLeod Dubois Ivanov Kim Singh Thompson Whitaker Zimmerman
Vaughan""")
PLACES = _words("""London Paris Berlin Chicago Boston Denver Seattle Toronto Sydney Dublin Madrid Tokyo Austin
Atlanta Lisbon Vienna Prague Oslo Nairobi Cairo Mumbai Bangkok Edinburgh Albuquerque
Philadelphia Minneapolis Reykjavik Zurich""")
THINGS = _words("""order parcel invoice ticket booking reservation report password account subscription
delivery appointment refund request payment contract passport prescription warranty
insurance application""")
GOODS = _words("""apples bread coffee milk cheese batteries candles envelopes gloves lamps mirrors notebooks
pencils pillows scissors socks towels umbrellas oranges sugar tomatoes onions garlic vinegar
flour""")
DAYS = _words("""Monday Tuesday Wednesday Thursday Friday Saturday Sunday""")
MONTHS = _words("""January February March April May June July August September October November December""")
UNITS = _words("""kilometres miles kilograms pounds litres degrees minutes hours percent metres""")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _listing(r: Random, words: list[str]) -> str:
    chosen = r.sample(words, r.randint(2, 5))
    return f"{', '.join(chosen[:-1])} and {chosen[-1]}"


def _time(r: Random) -> str:
    return f"{r.randint(1, 12)}:{r.randrange(0, 60, 5):02} {r.choice(['am', 'pm'])}"


def _money(r: Random) -> str:
    return f"${r.randint(1, 9999):,}.{r.randint(0, 99):02}"


def _person(r: Random) -> str:
    return f"{r.choice(['Mr. ', 'Mrs. ', 'Dr. ', 'Ms. ', ''])}{r.choice(NAMES)} {r.choice(SURNAMES)}"


def _date(r: Random) -> str:
    return f"{r.choice(MONTHS)} {r.randint(1, 28)}, {r.randint(1900, 2049)}"


def _digits(r: Random) -> str:
    return " ".join(r.choice("0123456789") for _ in range(r.randint(3, 8)))


_TEMPLATES: tuple[Callable[[Random], str], ...] = (
    lambda r: f"Hello {r.choice(NAMES)}, your {r.choice(THINGS)} will be ready on {r.choice(DAYS)}.",
    lambda r: f"The code is {_digits(r)}.",
    lambda r: (
        f"Flight {r.randint(10, 999)} to {r.choice(PLACES)} leaves at {_time(r)} from gate {r.randint(1, 60)}."
    ),
    lambda r: f"I'm sorry, {r.choice(NAMES)}, but we could not find your {r.choice(THINGS)}.",
    lambda r: f"Would you like to change your {r.choice(THINGS)} for {r.choice(DAYS)} or {r.choice(DAYS)}?",
    lambda r: f"Your appointment with {_person(r)} is on {_date(r)}, at {_time(r)}.",
    lambda r: f"Thank you, {_person(r)}. Your {r.choice(THINGS)} number is {r.randint(100, 99999)}.",
    lambda r: f"Please hold while I check your {r.choice(THINGS)}.",
    lambda r: f"What is the weather like in {r.choice(PLACES)} this {r.choice(DAYS)}?",
    lambda r: f"The total comes to {_money(r)}, and {_money(r)} of that is tax.",
    lambda r: f"We need {_listing(r, GOODS)}.",
    lambda r: (
        f"{r.choice(NAMES)}, {r.choice(NAMES)} and {r.choice(NAMES)} moved from {r.choice(PLACES)} to"
        f" {r.choice(PLACES)} in {r.randint(1850, 2040)}."
    ),
    lambda r: f"It is {r.randint(2, 9999):,} {r.choice(UNITS)} from {r.choice(PLACES)} to {r.choice(PLACES)}.",
    lambda r: f"Did {_person(r)} really say {r.randint(2, 99)} {r.choice(UNITS)}?",
    lambda r: f"Who has been to {r.choice(PLACES)}, and when?",
    lambda r: f"Chapter {r.randint(1, 60)}.",
    lambda r: f"{r.choice(['Yes', 'No', 'Of course', 'Certainly', 'Not today', 'Perhaps'])}, {r.choice(NAMES)}.",
    lambda r: f"{r.choice(['Good morning', 'Goodbye', 'Welcome back', 'One moment', 'Well done'])}!",
    lambda r: f"{r.randint(1, 99)}.{r.randint(1, 99)} percent of {r.randint(2, 900)} is about {r.randint(1, 99)}.",
    lambda r: (
        f"The {r.choice(THINGS)} {r.choice(LETTERS)}{r.choice(LETTERS)}-{r.randint(10, 999)} was signed by"
        f" {_person(r)} on {_date(r)}."
    ),
    lambda r: f"{r.choice(NAMES)} asked, could you send me the {r.choice(THINGS)} by {_time(r)}, please?",
    lambda r: (
        f"If the {r.choice(THINGS)} does not arrive by {r.choice(DAYS)}, call us at"
        f" {r.randint(200, 999)}-{r.randint(200, 999)}-{r.randint(1000, 9999)}, and {r.choice(NAMES)} or"
        f" {r.choice(NAMES)} will look for the {r.choice(THINGS)}, the {r.choice(THINGS)} and"
        f" the {r.choice(THINGS)}."
    ),
    lambda r: (
        f"On {_date(r)}, {r.randint(2, 999)} people in {r.choice(PLACES)} bought {_listing(r, GOODS)} for"
        f" {_money(r)} each, which is {r.randint(2, 90)} percent more than in {r.choice(MONTHS)}."
    ),
)


def draw(random: Random) -> str:
    """One sentence, as a customer writes it."""
    return random.choice(_TEMPLATES)(random)
