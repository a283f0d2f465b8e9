"""Sentences of our own that a service's voice must say: bookings, money, dates, names, numbers, codes, questions.

Books hold few of them. Each is drawn at random and then read by the product's own normaliser.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from inference.training.names import Names


def _words(text: str) -> list[str]:
    return text.split()


THINGS = _words("""order parcel invoice ticket booking reservation report password account subscription
delivery appointment refund request payment contract passport prescription warranty
insurance application""")
GOODS = _words("""apples bread coffee milk cheese batteries candles envelopes gloves lamps mirrors notebooks
pencils pillows scissors socks towels umbrellas oranges sugar tomatoes onions garlic vinegar
flour""")
DAYS = _words("""Monday Tuesday Wednesday Thursday Friday Saturday Sunday""")
MONTHS = _words("""January February March April May June July August September October November December""")
UNITS = _words("""kilometres miles kilograms pounds litres degrees minutes hours percent metres""")
CURRENCIES = "$£€"
FRACTIONS = _words("1/2 1/3 2/3 1/4 3/4 1/5 1/8 5/8 7/8")
SMALL_UNITS = _words("kg g mg km cm mm ml mph kWh GB MB")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Draw:
    """What stands in a sentence's gaps, each drawn anew where it is named."""

    random: Random
    names: Names

    def of(self, words: list[str] | tuple[str, ...] | str) -> str:
        return self.random.choice(words)

    def number(self, least: int, most: int) -> int:
        return self.random.randint(least, most)

    def magnitude(self) -> int:
        """As often of one digit as of seven."""
        return self.random.randint(1, 10 ** self.random.randint(1, 7))

    @property
    def given(self) -> str:
        return self.of(self.names.given)

    @property
    def person(self) -> str:
        title = self.of(("Mr. ", "Mrs. ", "Dr. ", "Ms. ", "Professor ", "", "", ""))
        return f"{title}{self.given} {self.of(self.names.family)}"

    @property
    def place(self) -> str:
        return self.of(self.names.places)

    @property
    def thing(self) -> str:
        return self.of(THINGS)

    @property
    def day(self) -> str:
        return self.of(DAYS)

    @property
    def goods(self) -> str:
        chosen = self.random.sample(GOODS, self.number(2, 5))
        return f"{', '.join(chosen[:-1])} and {chosen[-1]}"

    @property
    def time(self) -> str:
        if self.random.random() < 0.3:
            return f"{self.number(0, 23):02}:{self.number(0, 59):02}"
        return f"{self.number(1, 12)}:{self.random.randrange(0, 60, 5):02} {self.of(('am', 'pm'))}"

    @property
    def money(self) -> str:
        cents = f".{self.number(0, 99):02}" if self.random.random() < 0.7 else ""
        return f"{self.of(CURRENCIES)}{self.magnitude():,}{cents}"

    @property
    def date(self) -> str:
        return f"{self.of(MONTHS)} {self.number(1, 28)}, {self.year}"

    @property
    def year(self) -> int:
        return self.number(1500, 2049)

    @property
    def decimal(self) -> str:
        return f"{self.number(0, 99)}.{self.number(0, 10 ** self.number(1, 3) - 1)}"

    @property
    def ordinal(self) -> str:
        number = self.number(1, 100)
        ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
        return f"{number}{ending}"

    @property
    def digits(self) -> str:
        return " ".join(self.of("0123456789") for _ in range(self.number(3, 8)))

    @property
    def phone(self) -> str:
        return f"{self.number(200, 999)}-{self.number(200, 999)}-{self.number(1000, 9999)}"

    @property
    def code(self) -> str:
        return f"{self.of(LETTERS)}{self.of(LETTERS)}-{self.number(10, 999)}"


_TEMPLATES: tuple[Callable[[Draw], str], ...] = (
    lambda d: f"Hello {d.given}, your {d.thing} will be ready on {d.day}.",
    lambda d: f"The code is {d.digits}.",
    lambda d: f"Flight {d.number(10, 999)} to {d.place} leaves at {d.time} from gate {d.number(1, 60)}.",
    lambda d: f"I'm sorry, {d.given}, but we could not find your {d.thing}.",
    lambda d: f"Would you like to change your {d.thing} for {d.day} or {d.day}?",
    lambda d: f"Your appointment with {d.person} is on {d.date}, at {d.time}.",
    lambda d: f"Thank you, {d.person}. Your {d.thing} number is {d.number(100, 99999)}.",
    lambda d: f"Please hold while I check your {d.thing}.",
    lambda d: f"What is the weather like in {d.place} this {d.day}?",
    lambda d: f"The total comes to {d.money}, and {d.money} of that is tax.",
    lambda d: f"We need {d.goods}.",
    lambda d: f"{d.given}, {d.given} and {d.given} moved from {d.place} to {d.place} in {d.year}.",
    lambda d: f"It is {d.number(2, 9999):,} {d.of(UNITS)} from {d.place} to {d.place}.",
    lambda d: f"Did {d.person} really say {d.number(2, 99)} {d.of(UNITS)}?",
    lambda d: f"Who has been to {d.place}, and when?",
    lambda d: f"Chapter {d.number(1, 60)}.",
    lambda d: f"{d.of(('Yes', 'No', 'Of course', 'Certainly', 'Not today', 'Perhaps'))}, {d.given}.",
    lambda d: f"{d.of(('Good morning', 'Goodbye', 'Welcome back', 'One moment', 'Well done'))}!",
    lambda d: f"{d.decimal} percent of {d.number(2, 900)} is about {d.number(1, 99)}.",
    lambda d: f"The {d.thing} {d.code} was signed by {d.person} on {d.date}.",
    lambda d: f"{d.given} asked, could you send me the {d.thing} by {d.time}, please?",
    lambda d: (
        f"If the {d.thing} does not arrive by {d.day}, call us at {d.phone}, and {d.given} or {d.given} will look"
        f" for the {d.thing}, the {d.thing} and the {d.thing}."
    ),
    lambda d: (
        f"On {d.date}, {d.number(2, 999)} people in {d.place} bought {d.goods} for {d.money} each, which is"
        f" {d.number(2, 90)} percent more than in {d.of(MONTHS)}."
    ),
    # names
    lambda d: f"{d.person} was born in {d.place}, grew up in {d.place} and died in {d.place}.",
    lambda d: f"{d.person}, {d.person} and {d.person} have not replied yet.",
    lambda d: f"The road from {d.place} to {d.place} passes through {d.place}.",
    lambda d: f"Put me through to {d.person}, please, or to {d.person}.",
    lambda d: f"{d.place}, {d.place}, {d.place} or {d.place}?",
    lambda d: f"Is {d.place} larger than {d.place}, {d.given}?",
    lambda d: f"{d.given} married {d.person}'s cousin, {d.given}, in {d.place}.",
    lambda d: f"A film by {d.person}, with {d.person} as {d.given}.",
    lambda d: f"{d.person} of {d.place} beat {d.person} of {d.place}.",
    lambda d: f"My name is {d.person}.",
    # numbers
    lambda d: f"{d.magnitude():,} people live there, {d.decimal}% of them in {d.place}.",
    lambda d: f"{d.given} came {d.ordinal}, and {d.given} {d.ordinal}.",
    lambda d: f"From {d.year} to {d.year} it cost {d.money}; today it costs {d.money}.",
    lambda d: f"Open from {d.time} until {d.time}, but not on {d.day}.",
    lambda d: (
        f"Version {d.number(0, 20)}.{d.number(0, 20)}.{d.number(0, 20)} needs {d.decimal} {d.of(SMALL_UNITS)}."
    ),
    lambda d: f"Page {d.number(1, 900)}, line {d.number(1, 60)}.",
    lambda d: f"About {d.of(FRACTIONS)} of the {d.magnitude():,} {d.of(GOODS)} were sold by {d.time}.",
    lambda d: (
        f"Take {d.decimal} {d.of(SMALL_UNITS)} of {d.of(GOODS)} and {d.of(FRACTIONS)} {d.of(SMALL_UNITS)} of salt."
    ),
    lambda d: f"Turn to {d.number(-30, 40)}°{d.of('CF')}, then wait {d.number(2, 90)} minutes.",
    lambda d: (
        f"{d.of(CURRENCIES)}{d.decimal} {d.of(('million', 'billion'))} was spent on {d.of(GOODS)} in {d.year}."
    ),
    lambda d: f"Call {d.phone} and ask for extension {d.number(1, 9999)}.",
    lambda d: f"{d.number(2, 99)} times {d.number(2, 99)} is {d.number(2, 9999)}.",
    lambda d: f"Room {d.number(1, 999)}, {d.number(1, 9999)} {d.of(d.names.family)} Street, {d.place}.",
    lambda d: f"They won {d.number(0, 9)}-{d.number(0, 9)}, and lost {d.number(0, 99)} to {d.number(0, 99)}.",
    lambda d: f"The {d.ordinal} of {d.of(MONTHS)}, or the {d.ordinal}?",
    lambda d: f"{d.digits}, {d.of(LETTERS)}, {d.digits}.",
)


def draw(random: Random, names: Names) -> str:
    """One sentence, as a customer writes it."""
    return random.choice(_TEMPLATES)(Draw(random, names))
