"""Numbers as the rest of the world writes them, brought to the form that every other rule reads.

"1.234,56", "1 234 567", "1'250.50" and "12,5 %" become "1,234.56", "1,234,567", "1,250.50" and "12.5 %", only
where the text cannot mean anything else.
"""

import re

from .rules import Match, Rule

_AFTER = (
    r"(?:[€$£¥₹₽₺₴%‰°]|(?:EUR|USD|GBP|CHF|SEK|NOK|DKK|PLN|CZK|HUF|BRL|MXN|zł|kr|Kč|Ft|R\$"
    r"|Mio|Mrd|mln|mld|million|billion|trillion|thousand|percent|euros?|dollars?|pounds?|francs?|cents?"
    r"|rpm|RPM|mph|kcal|ppm|[kMGTmcµ]?[mgWVLl]|[kc]m[²³]|m[²³]|ha|kWh|k?cal|h|min|GB|MB|TB|[kMG]?Hz|km/h|m/s|bar|kPa|hPa"
    r"|(?:kilo|centi|milli)?(?:meter|metre|gram|liter|litre)s?|kilos?|hours?|degrees?|days|weeks|months|years|minutes|seconds|stars?|points|inches|feet|miles|ton(?:ne)?s)(?![\w])"
    r"|/(?:10|20|100)(?![\w/]))"
)
_PEOPLE = r"(?:[Ee]uros?|Einwohner|Menschen|Personen|habitants|habitantes|personas|personnes|pessoas|abitanti)\b"
_MONEY_BEFORE = r"(?:(?<=[€£$¥₹₽₺])|(?<=[€£$¥₹₽₺]\s)|(?<=EUR\s)|(?<=CHF\s)|(?<=USD\s)|(?<=kr\s))"
_START = r"(?<![\w.,'/:^+-])"
_END = r"(?![\w]|[.,]\d)"
# A name's own number may stand before another one: "May 5 300 people", "Windows 10 500 GB".
_NAMED = re.compile(
    r"(?:Jan\w*|Feb\w*|Mar\w*|Apr\w*|May|June?|July?|Aug\w*|Sep\w*|Oct\w*|Nov\w*|Dec\w*|[Cc]hapter|[Pp]age|[Tt]able"
    r"|[Ff]igure|[Rr]oom|[Ff]light|[Ss]tep|[Rr]oute|[Hh]ighway|[Cc]all|[Tt]ext|[Dd]ial|[Nn]umber|[Cc]ode|PIN|OTP|[Pp]hone"
    r"|[Tt]el\.?|Windows|iPhone|Galaxy|Article|Section|Part|[Ll]evel)[:.]?\s\Z"
)


def _spaced(match: Match) -> str:
    if _NAMED.search(match.string[max(0, match.start() - 12) : match.start()]):
        return match[0]
    whole, comma, part = match[0].partition(",")
    return whole.replace(" ", ",") + ("." + part if comma else "")


def _dotted(match: Match) -> str:
    """1.234,56 -> 1,234.56"""
    return match[0].translate(_SWAPPED)


def _comma_decimal(match: Match) -> str:
    return match[0].replace(",", ".")


_SWAPPED = {ord("."): ",", ord(","): "."}

_COUNTED_BY_MILLIONS = (
    r"people|users|customers|followers|views|viewers|subscribers|jobs|households|homes|voters|members|downloads|passengers"
    r"|visitors|copies|Americans|Britons|inhabitants|residents|workers|children|students|cases|deaths|records|rows|tokens"
)

RULES: tuple[Rule, ...] = (
    # Nobody measures ten kilometers to the meter.
    (
        re.compile(rf"{_START}[1-9]\d{{1,2}}\.000(?=\s?(?:km|m|kg|g|t|l|L|ha|km²|m²|kWh|MW|W)\b)"),
        lambda m: m[0].replace(".", ","),
    ),
    # The scale of a map.
    (re.compile(r"(?<![\w:.,])(1):(\d{1,3}(?:,\d{3})++)(?![\w:])"), lambda m: f"{m[1]} to {m[2]}"),
    # As newspapers write it: "20m people".
    (
        re.compile(rf"(?<![\w.,$£€])(\d{{1,4}}(?:\.\d{{1,2}})?)\s?(?:m|mn|mln)(?=\s(?:{_COUNTED_BY_MILLIONS})\b)"),
        lambda m: f"{m[1]} million",
    ),
    # "12,- €" and "CHF 12.-": no cents.
    (
        re.compile(r"(?<=\d)[,.][-–—]{1,2}(?=\s?(?:€|EUR|Euro|CHF|Fr|kr)\b|\s?€)|(?<=\d)\.-(?=[\s,;)]|\Z)"),
        lambda _: "",
    ),
    (re.compile(r"(?<![\w.,'/:^+-])(?<!\d\s)[1-9]\d{0,2}(?: \d{3})++,\d{1,2}(?![\w'/:-]|[.,]\d| \d)"), _spaced),
    (re.compile(r"(?<![\w.,'])[1-9]\d{0,2}(?:'\d{3})++(?:\.\d+)?(?![\w'])"), lambda m: m[0].replace("'", ",")),
    # Both marks, or a mark that comes twice, leave no doubt.
    (re.compile(rf"(?<![\w.,'/:^])[1-9]\d{{0,2}}(?:\.\d{{3}})++,\d{{1,2}}{_END}"), _dotted),
    (re.compile(rf"{_START}[1-9]\d{{0,2}}(?:\.\d{{3}}){{2,}}+{_END}"), _dotted),
    (re.compile(rf"(?<![\w.,'/:^])[1-9]\d{{0,2}}\.\d{{3}}(?=\s?(?:€|₺|R\$|zł|EUR|MXN|{_PEOPLE}))"), _dotted),
    (re.compile(rf"(?:(?<=€)|(?<=€\s)|(?<=R\$)|(?<=R\$\s))[1-9]\d{{0,2}}\.\d{{3}}{_END}(?!\s?/)"), _dotted),
    (re.compile(r"(?<=\$)[1-9]\d{0,2}\.\d{3}(?=\s(?:MXN|COP|ARS|CLP)\b)"), _dotted),
    (re.compile(rf"{_MONEY_BEFORE}[1-9]\d{{0,2}}(?: \d{{3}})++(?:,\d{{1,2}})?(?! ?\d)"), _spaced),
    (
        re.compile(
            r"(?<![\w.,'/:^+-])(?<!\d\s)(?<!\)\s)[1-9]\d{0,2}(?: \d{3})++(?:,\d{1,2})?(?![\w'/:-]|[.,]\d| \d)"
            rf"(?=\s?{_AFTER}|\s(?!and\b|or\b|to\b|in\b|at\b|on\b|is\b|was\b|by\b|for\b|from\b|with\b|the\b)[a-z]{{2,}})"
        ),
        _spaced,
    ),
    (
        re.compile(
            rf"{_START}(?<!\d\s)(?<!\)\s)[1-9]\d?(?: \d{{3}}){{2,}}+(?:,\d{{1,2}})?(?![\w'/:-]|[.,]\d| \d)"
        ),
        _spaced,
    ),
    (re.compile(rf"{_MONEY_BEFORE}\d{{1,6}},\d{{1,2}}{_END}"), _comma_decimal),
    (re.compile(rf"(?<![\w.,'/:^])\d++,\d{{1,2}}(?=\s?[-–]\s?\d++(?:,\d{{1,2}})?\s?{_AFTER})"), _comma_decimal),
    (re.compile(rf"(?<![\w.,'/:^])\d++,\d{{1,2}}(?=\s?{_AFTER})"), _comma_decimal),
    (re.compile(rf"(?<![\w.,'/:^])0,\d++{_END}"), _comma_decimal),
    # The scales of other languages.
    (re.compile(r"(?<=\d)\s?(?:Mio|mln)\b\.?"), lambda _: " million"),
    (re.compile(r"(?<=\d)\s?(?:Mrd|mld)\b\.?"), lambda _: " billion"),
)
