"""Numbers: cardinals, ordinals, decimals, fractions, ranges, years, and how codes say their digits."""

import re
from functools import lru_cache

from num2words import num2words

from .rules import Match, Rule

#: A number as written, "1,234,567.89" or "12,34,567" or "42"; possessive, so that failing costs nothing.
NUMBER = r"(?:\d{1,3}(?:,\d{3})++(?!\d)|\d{1,2}(?:,\d{2}(?=,))++,\d{3}(?!\d)|\d++)(?:\.\d++)?+"
#: Never start inside a longer number.
START = r"(?<!\d)(?<!\d[.,])"
#: What makes a range of two numbers; a hyphen with a space on one side only is a sign.
DASH = r"(?:-|\s-\s|\s?–\s?)"
#: A number, fraction or range of them: what may stand before a unit.
QUANTITY = rf"(?:\d++\ \d++/\d++|\d++/\d++|\.\d++|{NUMBER})(?:{DASH}(?:\d++/\d++|{NUMBER}))?+"
#: A sign belongs to a number only where no word or number stands before it.
SIGN = r"(?:(?<![\w)\]%°])(?<![\d)%]\s)[-−+])?"

_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_LONGEST_SAID = 36
_LONGEST_UNGROUPED = 9


@lru_cache(maxsize=8192)
def cardinal(number: int) -> str:
    """42 -> forty-two."""
    return str(num2words(number)).replace(",", "")


@lru_cache(maxsize=1024)
def ordinal(number: int) -> str:
    """2 -> second."""
    return str(num2words(number, to="ordinal")).replace(",", "")


@lru_cache(maxsize=4096)
def year(number: int) -> str:
    """1984 -> nineteen eighty-four."""
    return str(num2words(number, to="year")).replace(",", "").replace("oh-", "oh ")


def digits(written: str) -> str:
    """007 -> zero zero seven; anything but digits is passed over."""
    return " ".join(_DIGITS[int(digit)] for digit in written if digit.isdigit())


def spell_out(written: str) -> str:
    """a1b2 -> A one B two, as hexadecimal is read."""
    return " ".join(_DIGITS[int(char)] if char.isdigit() else char.upper() for char in written)


def integer(written: str) -> str:
    """A whole number in words, or digit by digit where it is a code: leading zeros, or long and ungrouped."""
    plain = written.replace(",", "")
    coded = len(plain) > _LONGEST_UNGROUPED and plain == written and not plain.endswith("000000")
    if coded or len(plain) > _LONGEST_SAID or (len(plain) > 1 and plain[0] == "0"):
        return digits(plain)
    return cardinal(int(plain))


def decimal(written: str) -> str:
    """3.14 -> three point one four."""
    whole, point, part = written.partition(".")
    return " ".join(filter(None, (whole and integer(whole), point and "point", digits(part))))


def fraction(top: str, bottom: str) -> str:
    """3/4 -> three quarters; a denominator nobody has a word for is said "over"."""
    named = len(bottom) <= 4 and (2 <= int(bottom) <= 20 or int(bottom) in {32, 64, 100, 1000})
    if not named or len(top) > len(bottom) + 1:
        return f"{integer(top)} over {integer(bottom)}"
    one = int(top) == 1
    if int(bottom) == 2:
        part = "half" if one else "halves"
    else:
        part = ("quarter" if int(bottom) == 4 else ordinal(int(bottom)).removeprefix("one ")) + (
            "" if one else "s"
        )
    return f"{integer(top)} {part}"


def mixed(whole: str, top: str, bottom: str) -> str:
    """2 1/2 -> two and a half."""
    part = fraction(top, bottom)
    if top == "1":
        part = ("an" if part.startswith(("one eigh", "one ele")) else "a") + part[3:]
    return f"{integer(whole)} and {part}"


def quantity(written: str) -> str:
    """Any QUANTITY in words, with its sign."""
    written = written.strip()
    sign = {"-": "minus ", "−": "minus ", "+": "plus "}.get(written[0], "")
    parts = re.split(r"\s?[-–]\s?", written[1:] if sign else written)
    return sign + " to ".join(map(_amount, parts))


def is_one(written: str) -> bool:
    """Whether the unit after this quantity is singular."""
    return written.lstrip("-−+") == "1"


def _amount(written: str) -> str:
    if "/" not in written:
        return decimal(written)
    whole, _, part = written.rpartition(" ")
    top, _, bottom = part.partition("/")
    return mixed(whole, top, bottom) if whole else fraction(top, bottom)


def code(written: str) -> str:
    """The number in a name: 747 -> seven forty-seven, 4090 -> forty ninety, 12345 digit by digit."""
    if len(written) > 4 or (len(written) > 1 and written[0] == "0"):
        return digits(written)
    if len(written) < 3 or written.endswith("000"):
        return cardinal(int(written))
    head, tail = written[:-2], written[-2:]
    if tail == "00":
        return f"{cardinal(int(head))} hundred"
    return f"{cardinal(int(head))} {'oh ' if tail[0] == '0' else ''}{cardinal(int(tail))}"


_YEAR_WORDS = re.compile(
    r"\b(?:in|since|during|until|till|by|circa|late|early|mid|year|summer|winter|spring|autumn|fall|copyright"
    r"|class of)[\s-]\Z",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r"\s(?:people|men|women|children|(?!(?:was|is|has|its|as|this|does|series|news|us|census)\b)[a-z]{2,}s)\b"
)


def _plain_number(match: Match) -> str:
    """Four bare digits are a year unless they count something."""
    written = match[0]
    if len(written) == 4 and written.isdigit() and 1000 < int(written) < 2100:
        before = match.string[max(0, match.start() - 12) : match.start()]
        dated = _YEAR_WORDS.search(before)
        if dated or (int(written) >= 1100 and not _COUNTED.match(match.string, match.end())):
            return year(int(written))
    return decimal(written)


def _year_span(match: Match) -> str:
    last = int(match[2])
    return f"{year(int(match[1]))} to {year(last) if last > 99 else code(match[2])}"


def _ratio(match: Match) -> str:
    return f"{decimal(match[1])} to {decimal(match[2])}"


def _span(match: Match) -> str:
    return quantity(re.sub(r"(?:st|nd|rd|th)s?\Z", "", match[0]))


def _span_of_units(match: Match) -> str:
    """A 10-15-minute walk is one of ten to fifteen minutes."""
    rises = int(match[1]) < int(match[2])
    return f"{cardinal(int(match[1]))} to {cardinal(int(match[2]))}-" if rises else match[0]


def _descending(match: Match) -> str:
    """What falls is no span: the Boeing 747-400."""
    falls = int(match[1]) > int(match[2])
    return f"{code(match[1])} {code(match[2])}" if falls else match[0]


_PAIRS = {"50-50": "fifty-fifty", "7-11": "seven eleven", "10-4": "ten four", "24-7": "twenty-four seven"}


def _difference(match: Match) -> str:
    """5 - 3 takes away; 3 - 5 is a span."""
    first, second = (float(number.replace(",", "")) for number in match.groups())
    return f"{decimal(match[1])} minus {decimal(match[2])}" if first > second else match[0]


_ORDINAL_LIMIT = 12


def _ordinal(match: Match) -> str:
    plain = match[1].replace(",", "")
    return ordinal(int(plain)) if len(plain) <= _ORDINAL_LIMIT else f"{digits(plain)} {match[2]}"


#: Before the fractions: 1914/15.
YEARS: tuple[Rule, ...] = (
    (
        re.compile(r"(?<![\w.,-])(1[1-9]\d\d|20\d\d)\s?[-–/]\s?(1[1-9]\d\d|20\d\d|\d\d)(?![\w-])(?![.,]\d)"),
        _year_span,
    ),
)

RULES: tuple[Rule, ...] = (
    (re.compile(r"(?<=\d(?:st|nd|rd|th))\s?[-–]\s?(?=\d++(?:st|nd|rd|th)\b)"), lambda _: " to "),
    (re.compile(rf"{START}(\d{{1,3}}(?:,\d{{3}})++|\d++)\^?(st|nd|rd|th)\b", re.IGNORECASE), _ordinal),
    (
        re.compile(r"(?<![\w:.,])(\d++):(\d++):(\d++)(?![\w:])"),
        lambda m: " to ".join(map(integer, m.groups())),
    ),
    (
        re.compile(
            r"(?<![\w.,-])([2-9]0)-([1-9]0)(?=\s(?:split|rule|mix|blend|vision|chance|partnership|share)s?\b)"
        ),
        lambda m: f"{cardinal(int(m[1]))}-{cardinal(int(m[2]))}",
    ),
    (re.compile(r"(?<![\w.,-])(50-50|7-11|10-4|24-7)(?![\w-]|[.,]\d)"), lambda m: _PAIRS[m[1]]),
    (
        re.compile(
            rf"(?:\A|(?<=[.,;:?!(=] )|(?<=\bis )|(?<=\bdo )|(?<=[Cc]ompute )|(?<=[Cc]alculate )|(?<=[Ss]olve ))"
            rf"({NUMBER})\s-\s({NUMBER})(?![\w-])"
        ),
        _difference,
    ),
    (re.compile(r"(?<=\d)\s[-−](?=\d)"), lambda _: " minus "),
    (
        re.compile(
            rf"(?<![\w.,-])({NUMBER})-({NUMBER})(?=\sis\s(?:[-−]?\d|zero|one|two|three|four|five|six|seven|eight|nine)\b)"
        ),
        _difference,
    ),
    (re.compile(r"(?<![\w:.])(\d++(?:\.\d++)?+)\s?:\s?(\d++(?:\.\d++)?+)(?![\w:])"), _ratio),
    (
        re.compile(r"(?<![\w.,])(\d{3,4})(?=\s(?:AD|BC|BCE|CE)\b)|(?<=\bAD )(\d{3,4})\b"),
        lambda m: year(int(m[0])) if len(m[0]) == 4 else code(m[0]),
    ),
    (re.compile(r"(?<![\w.,-])(\d{3,4})-(\d{3,4})(?![\w-]|[.,]\d)"), _descending),
    (re.compile(r"(?<![\w.,-])(\d{1,3})-(\d{1,3})-(?=[a-z]{3})"), _span_of_units),
    (re.compile(rf"(?<![\w.,]){NUMBER}{DASH}{NUMBER}(?![\w-])"), _span),
    (re.compile(rf"{SIGN}(?<![\w.])\.\d++(?![.\d])"), _span),
    (re.compile(rf"(?<![\w)\]%°])(?<![\d)%]\s)[-−+]{NUMBER}"), _span),
    (re.compile(NUMBER), _plain_number),
)
