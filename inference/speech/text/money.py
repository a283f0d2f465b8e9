"""Money: "$3.50" -> three dollars and fifty cents, "£1.2bn" -> one point two billion pounds."""

import re
from typing import NamedTuple

from .numbers import DASH, NUMBER, SIGN, START, cardinal, quantity
from .rules import DETERMINER, MEASURED_NOUN, Match, Rule, describes


class Currency(NamedTuple):
    """The names of a currency and of its hundredth, one and many."""

    one: str
    many: str
    cent: str = ""
    cents: str = ""


_DOLLAR = Currency("dollar", "dollars", "cent", "cents")
_POUND = Currency("pound", "pounds", "penny", "pence")
_EURO = Currency("euro", "euros", "cent", "cents")
_RUPEE = Currency("rupee", "rupees", "paisa", "paise")
_YEN = Currency("yen", "yen")


def _dollar(country: str) -> Currency:
    return Currency(f"{country} dollar", f"{country} dollars", "cent", "cents")


_CURRENCIES = {
    "$": _DOLLAR, "£": _POUND, "€": _EURO, "¥": _YEN, "₹": _RUPEE, "¢": Currency("cent", "cents"),
    "₽": Currency("ruble", "rubles", "kopeck", "kopecks"), "₩": Currency("won", "won"),
    "₺": Currency("lira", "lira"), "₿": Currency("bitcoin", "bitcoins"), "฿": Currency("baht", "baht"),
    "₪": Currency("shekel", "shekels"), "₫": Currency("dong", "dong"), "₴": Currency("hryvnia", "hryvnias"),
    "₦": Currency("naira", "naira"), "₱": Currency("peso", "pesos"), "US$": _dollar("US"),
    "A$": _dollar("Australian"), "AU$": _dollar("Australian"), "C$": _dollar("Canadian"),
    "CA$": _dollar("Canadian"), "NZ$": _dollar("New Zealand"), "HK$": _dollar("Hong Kong"),
    "S$": _dollar("Singapore"), "R$": Currency("real", "reais", "centavo", "centavos"), "USD": _dollar("US"),
    "AUD": _dollar("Australian"), "CAD": _dollar("Canadian"), "NZD": _dollar("New Zealand"), "EUR": _EURO,
    "GBP": _POUND, "JPY": _YEN, "INR": _RUPEE, "Rs": _RUPEE, "Rs.": _RUPEE, "CNY": Currency("yuan", "yuan"),
    "RMB": Currency("yuan", "yuan"), "KRW": Currency("won", "won"),
    "CHF": Currency("Swiss franc", "Swiss francs", "centime", "centimes"),
    "SEK": Currency("Swedish krona", "Swedish kronor"),
    "MXN": Currency("Mexican peso", "Mexican pesos", "centavo", "centavos"),
    "NOK": Currency("Norwegian krone", "Norwegian kroner"),
    "DKK": Currency("Danish krone", "Danish kroner"), "PLN": Currency("zloty", "zlotys", "grosz", "groszy"),
    "zł": Currency("zloty", "zlotys", "grosz", "groszy"), "kr": Currency("krone", "kroner"),
    "CZK": Currency("Czech koruna", "Czech koruny"), "Kč": Currency("Czech koruna", "Czech koruny"),
    "HUF": Currency("forint", "forints"),
    "BRL": Currency("Brazilian real", "Brazilian reais", "centavo", "centavos"),
    "SGD": _dollar("Singapore"), "HKD": _dollar("Hong Kong"), "ZAR": Currency("rand", "rand"),
    "TRY": Currency("Turkish lira", "Turkish lira"), "AED": Currency("dirham", "dirhams"),
    "BTC": Currency("bitcoin", "bitcoins"),
}  # fmt: skip
_SYMBOL = r"(?:(?<![A-Za-z])(?:US|AU|A|CA|C|NZ|HK|S|R)\$|[$£€¥₹¢₽₩₺₿฿₪₫₴₦₱])"
_CODE = (
    r"(?:USD|AUD|CAD|NZD|EUR|GBP|JPY|INR|CNY|RMB|KRW|CHF|SEK|MXN|BTC|NOK|DKK|PLN|CZK|HUF|BRL|SGD|HKD|ZAR|AED"
    r"|zł|kr|Kč|TRY(?!\s[A-Z]))"
)

_SCALES = {
    "k": "thousand", "m": "million", "mn": "million", "mm": "million", "b": "billion", "bn": "billion",
    "t": "trillion", "tn": "trillion",
}  # fmt: skip
_SCALE = (
    r"(?:\s?(?P<scale>(?:thousand|million|billion|trillion|lakh|crore|[bmt]n)"
    r"|(?<=\d)(?:[kKmMbBtT]|MM)|(?<=\d)\s[mb])(?![\w']|-\d))?"
)
_PERIODS = {
    "d": "day", "mo": "month", "hr": "hour", "h": "hour", "wk": "week", "yr": "year", "min": "minute",
    "kg": "kilogram", "lb": "pound", "oz": "ounce", "L": "liter", "gal": "gallon", "sq ft": "square foot",
    "kWh": "kilowatt hour", "GB": "gigabyte", "pp": "person", "bbl": "barrel", "sf": "square foot",
}  # fmt: skip
_PER = (
    r"(?:\s?/\s?(?P<per>mo|sf|ea"
    r"|hr|h|d|wk|yr|min|kg|lb|oz|L|gal|sq ft|kWh|GB|pp|bbl|month|hour|day|week|year|minute"
    r"|(?!and\b)[a-z]{3,12})(?!\w)(?:/(?P<then>[a-z]{2,8})(?!\w))?)?"
)
#: "$3bn-a-year", "$5m-plus", "$2bn-valued".
_TAIL = r"(?:-(?P<tail>(?:an?|per)-[a-z]{3,8}|[a-z]{3,10})(?![\w-]))?"
_AFTER_MANY = re.compile(r"an?-|per-|plus|worth|odd")
_RANGE = rf"(?:\.\d++|{NUMBER})(?:{DASH}{NUMBER})?+"


def _money(match: Match) -> str:
    """An amount of a currency, scaled, per something."""
    named = match.groupdict()
    currency = _CURRENCIES[named["currency"]]
    amount: str = named["amount"]
    sign = {"-": "minus ", "−": "minus ", "+": "plus "}.get(named.get("sign") or "", "")
    scale = (named.get("scale") or "").strip()
    scale = _SCALES.get(scale.lower(), scale)
    periods = [part for part in (named.get("per"), named.get("then")) if part]
    per = "".join(" each" if part in {"ea", "each"} else f" per {_PERIODS.get(part, part)}" for part in periods)
    single = not per and (describes(match) or bool(MEASURED_NOUN.match(match.string, match.end())))
    tail = named.get("tail") or ""
    if tail:
        return _tailed(match, sign, scale, currency, tail)

    exact = re.fullmatch(r"([\d,]*)\.(\d)(\d?)0*", amount)
    if exact and currency.cent and not scale:
        return sign + _exact(exact[1], int(exact[2] + (exact[3] or "0")), currency, single=single) + per
    if exact and not scale and exact[2] == "0" == (exact[3] or "0"):
        amount = exact[1] or "0"
    one = single or (amount == "1" and not scale)
    words = [quantity(amount), scale, currency.one if one else currency.many]
    return sign + " ".join(filter(None, words)) + per


def _tailed(match: Match, sign: str, scale: str, currency: Currency, tail: str) -> str:
    """Three billion dollars a year; before a noun, a three-billion-dollar-a-year deal."""
    before = match.string[max(0, match.start() - 7) : match.start()]
    described = bool(DETERMINER.search(before)) or not _AFTER_MANY.match(tail)
    amount = quantity(match["amount"])
    words = [amount, scale, currency.one if described or (match["amount"] == "1" and not scale) else currency.many]
    joint = "-" if described else " "
    return (
        sign
        + joint.join(" ".join(filter(None, words)).split(" ") if described else filter(None, words))
        + joint
        + (tail if described else tail.replace("-", " "))
    )


def _exact(whole: str, cents: int, currency: Currency, *, single: bool) -> str:
    units = quantity(whole or "0") + " " + (currency.one if single or whole == "1" else currency.many)
    parts = cardinal(cents) + " " + (currency.cent if single or cents == 1 else currency.cents)
    if not cents:
        return units
    return parts if not whole.strip("0,") else f"{units} and {parts}"


RULES: tuple[Rule, ...] = (
    (re.compile(rf"({_SYMBOL})\s?([-−])(?=\d)"), lambda m: m[2] + m[1]),
    (re.compile(rf"(?<=[\dkKmMbBnt])\s?[-–]\s?(?={_SYMBOL}\d)"), lambda _: " to "),
    (
        re.compile(
            rf"(?P<sign>{SIGN})(?P<currency>{_SYMBOL}|\bRs\b\.?)\s?(?P<amount>{_RANGE}){_SCALE}{_PER}{_TAIL}"
        ),
        _money,
    ),
    (re.compile(rf"(?<![\w/])(?P<currency>{_CODE})\s?(?P<sign>[-−])?(?P<amount>{_RANGE}){_SCALE}{_PER}"), _money),
    (
        re.compile(
            rf"{START}(?P<sign>{SIGN})(?P<amount>{_RANGE}){_SCALE}\s?"
            rf"(?P<currency>{_CODE}(?!\w)|[$£€¥₹¢₽₩₺₿฿₪₫₴₦₱](?!\d)){_PER}"
        ),
        _money,
    ),
    (
        re.compile(r"(?<![\w.,])(\d{1,2})p(?!\w)"),
        lambda m: f"{cardinal(int(m[1]))} {'penny' if m[1] == '1' else 'pence'}",
    ),
    (
        re.compile(r"(?<![\w.,$])(\d{1,2})c(?=[.,;]|\s(?:each|off|per|a|an|more|less|stamp|coin|piece)\b|\Z)"),
        lambda m: f"{cardinal(int(m[1]))} cent{'' if m[1] == '1' else 's'}",
    ),
)

_MEASURES = {
    "kg": "kilogram", "lb": "pound", "oz": "ounce", "kWh": "kilowatt hour", "MWh": "megawatt hour", "hr": "hour",
    "h": "hour",
}  # fmt: skip
# "Paid in $ or €", where the signs are amounts of money; "the $ fell" is the currency.
_PAID = re.compile(rf"\b(?!(?i:the|a|and|or|strong|weak)\b)[A-Za-z][a-z]*+\s(?:{_SYMBOL}\s(?:and|or)\s)?\Z")


def _sign(match: Match) -> str:
    currency = _CURRENCIES[match[0]]
    paid = _PAID.search(match.string[max(0, match.start() - 24) : match.start()])
    alone = match.string.strip() == match[0]
    return f" {currency.many if paid or alone else currency.one} "


#: A currency sign with no amount, or with one that no rule has read.
SIGNS: tuple[Rule, ...] = (
    # Before a share's letters it says only that they are one.
    (re.compile(r"(?<!\w)\$(?=[A-Z]{1,5}(?!\w))"), lambda _: ""),
    # In a stage name it is an S: Ke$ha, A$AP.
    (
        re.compile(r"\b([A-Za-z]{1,12})\$(?=[A-Za-z])([A-Za-z]{1,12})\b"),
        lambda m: f"{m[1]}{'S' if m[2].isupper() else 's'}{m[2]}",
    ),
    (re.compile(r"\$(?=[a-z])"), lambda _: " dollar "),
    (
        re.compile(
            rf"(?<!\w)({_SYMBOL})/(kg|lb|oz|kWh|MWh|hr|h|month|year|day|week|ton|person|unit|seat|user)(?!\w)"
        ),
        lambda m: f"{_CURRENCIES[m[1]].many} per {_MEASURES.get(m[2], m[2])}",
    ),
    (
        re.compile(rf"({_SYMBOL})(?=\s(?:sign|symbol|key|character|figure)s?\b)"),
        lambda m: f" {_CURRENCIES[m[1]].one} ",
    ),
    (re.compile(_SYMBOL), _sign),
)
