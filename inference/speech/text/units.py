"""Measures: "5 lbs" -> five pounds, "10 km/h" -> ten kilometers per hour, "-5°C" -> minus five degrees."""

import re

from .numbers import QUANTITY, SIGN, START, cardinal, code, decimal, is_one, quantity
from .rules import MEASURED_NOUN, Match, Rule, before_noun, describes, ends_sentence

_PREFIXES = {
    "n": "nano", "µ": "micro", "m": "milli", "c": "centi", "d": "deci", "h": "hecto", "k": "kilo",
    "K": "kilo", "M": "mega", "G": "giga", "T": "tera", "P": "peta",
}  # fmt: skip
_PREFIXED = (
    ("m", "meter", "nµmcdk"), ("g", "gram", "nµmk"), ("L", "liter", "µmcd"), ("l", "liter", "µmcd"),
    ("s", "second", "nµm"), ("Hz", "hertz", "kMGT"), ("W", "watt", "mkMGT"), ("V", "volt", "mkM"),
    ("Wh", "watt hour", "kMGT"), ("Ah", "amp hour", "m"), ("J", "joule", "kM"), ("Pa", "pascal", "hkMG"),
    ("eV", "electron volt", "kMGT"), ("B", "byte", "kKMGTP"), ("bit", "bit", "kMG"), ("b", "bit", "kMG"),
    ("bps", "bit per second", "kKMGT"), ("Bps", "byte per second", "kKMGT"), ("Ω", "ohm", "kM"),
    ("mol", "mole", "mµn"), ("F", "farad", "µnm"), ("cal", "calorie", "k"), ("N", "newton", "kM"),
    ("Å", "angstrom", ""),
)  # fmt: skip
_BARE = frozenset(
    {"m", "g", "L", "l", "s", "Hz", "W", "V", "Wh", "Ah", "J", "Pa", "eV", "Ω", "mol", "cal", "N", "Å"}
)
_UNITS = {prefix + base: _PREFIXES[prefix] + name for base, name, prefixes in _PREFIXED for prefix in prefixes}
_UNITS |= {base: name for base, name, _ in _PREFIXED if base in _BARE}
_UNITS |= {
    "lb": "pound", "lbs": "pound", "oz": "ounce", "fl oz": "fluid ounce", "ft": "foot", "yd": "yard",
    "yds": "yard", "mi": "mile", "ha": "hectare", "gal": "gallon", "qt": "quart", "tsp": "teaspoon",
    "tbsp": "tablespoon", "Tbsp": "tablespoon", "mcg": "microgram", "h": "hour", "hr": "hour", "hrs": "hour",
    "min": "minute", "mins": "minute", "sec": "second", "secs": "second", "wk": "week", "wks": "week",
    "yr": "year", "yrs": "year", "mph": "mile per hour", "kph": "kilometer per hour",
    "kmh": "kilometer per hour", "mpg": "mile per gallon", "rpm": "revolution per minute",
    "RPM": "revolution per minute", "bpm": "beat per minute", "BPM": "beat per minute",
    "fps": "frame per second", "FPS": "frame per second", "dpi": "dot per inch",
    "psi": "pound per square inch", "PSI": "pound per square inch", "ppm": "part per million",
    "ppb": "part per billion", "px": "pixel", "hp": "horsepower", "dB": "decibel", "bps": "basis point",
    "sq ft": "square foot", "sqft": "square foot", "sq m": "square meter", "sq km": "square kilometer",
    "sq mi": "square mile", "cu ft": "cubic foot", "kt": "knot", "kts": "knot", "atm": "atmosphere",
    "KiB": "kibibyte", "MiB": "mebibyte", "GiB": "gibibyte", "TiB": "tebibyte", "kbit": "kilobit",
    "MP": "megapixel", "pts": "point", "pt": "point", "dBm": "decibel milliwatt",
    "mmHg": "millimeter of mercury", "in": "inch", "mbps": "megabit per second", "kbps": "kilobit per second",
    "gbps": "gigabit per second", "cc": "cc", "kWp": "kilowatt peak", "lux": "lux", "mos": "month", "pcs": "piece",
    "pkgs": "package", "doz": "dozen", "sq. ft": "square foot", "sq. m": "square meter", "sq. mi": "square mile",
    "sq. in": "square inch", "sq in": "square inch", "sq yd": "square yard", "sq. yd": "square yard",
    "cu. ft": "cubic foot", "cu. m": "cubic meter", "cu. in": "cubic inch", "cu. yd": "cubic yard",
    "fl. oz": "fluid ounce", "sq. km": "square kilometer", "c.c": "cc",
}  # fmt: skip
# As people write them where no other unit is spelled so.
_UNITS |= {
    written: _UNITS[unit]
    for unit in ("km", "kg", "cm", "lb", "lbs", "oz", "mph", "kph", "mL", "Hz", "kHz", "MHz", "GHz")
    for written in (unit.upper(), unit.lower(), unit.capitalize())
}
_UNITS |= {"gb": "gigabyte", "mb": "megabyte", "kb": "kilobyte", "tb": "terabyte"}
# A full stop after these belongs to the abbreviation.
_DOTTED = {
    "lb", "lbs", "oz", "ft", "yd", "yds", "mi", "gal", "qt", "tsp", "tbsp", "Tbsp", "hr", "hrs", "min", "mins",
    "sec", "secs", "wk", "wks", "yr", "yrs", "in", "fl oz", "sq ft", "cu ft", "sq mi",
    "sq. ft", "sq. m", "sq. mi", "sq. in", "cu. ft", "cu. m", "cu. in", "fl. oz", "sq. yd", "cu. yd", "mos", "pcs",
    "pkgs", "doz", "c.c",
}  # fmt: skip
_IRREGULAR = {
    "foot": "feet", "inch": "inches", "hertz": "hertz", "kilohertz": "kilohertz", "megahertz": "megahertz",
    "gigahertz": "gigahertz", "terahertz": "terahertz", "horsepower": "horsepower", "cc": "cc", "lux": "lux",
    "dozen": "dozen",
}  # fmt: skip
_PER = {
    "d": "day", "day": "day", "month": "month", "week": "week", "year": "year", "hour": "hour",
    "minute": "minute", "second": "second", "person": "person", "capita": "capita", "dL": "deciliter",
}  # fmt: skip


def _either(words: dict[str, str]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


_UNIT = rf"(?P<unit>{_either(_UNITS)})(?:\^?(?P<power>[23]))?"
_OVER = (
    rf"(?:\s?/\s?(?P<over>{_either(_UNITS | _PER)})(?:\^?(?P<over_power>[23]))?"
    r"(?:/(?P<third>day|d|h|hr|min|week|month|year|kg|person)(?!\w))?)?"
)
_MEASURE_UNIT = _either({unit: "" for unit in _UNITS if len(unit) > 1 or unit in "mgLlsWV"})
_POWERS = {"2": "square ", "3": "cubic ", None: ""}


def _plural(name: str) -> str:
    """feet, square miles, miles per hour, millimeters of mercury."""
    head = re.split(r"(?= per | of )", name, maxsplit=1)
    *rest, noun = head[0].split(" ")
    return " ".join([*rest, _IRREGULAR.get(noun, noun + "s")]) + "".join(head[1:])


def _article(noun: str) -> str:
    return "an" if noun[0] in "aeio" and not noun.startswith("one") else "a"


def _measure(match: Match) -> str:
    written, unit, power = match["quantity"], match["unit"], match["power"]
    hyphen, dot = match["join"] == "-", match["dot"]
    if unit == "in" and not dot and match["join"]:
        return match[0]
    name = _POWERS[power] + _UNITS[unit]
    over = ""
    if match["over"]:
        below = (_UNITS | _PER)[match["over"]]
        squared = match["over_power"] and below == "second"
        over = f" per {below} squared" if squared else f" per {_POWERS[match['over_power']]}{below}"
        if match["third"]:
            over += f" per {(_UNITS | _PER)[match['third']]}"
    end = "." if dot and (unit not in _DOTTED or ends_sentence(match, at_any_capital=True)) else ""
    parts = re.fullmatch(r"(\d+)/(\d+)", written)
    if parts and len(parts[1]) <= len(parts[2]) and parts[1].zfill(len(parts[2])) < parts[2]:
        part = "half" if written == "1/2" else quantity(written) + " of"
        return f"{part} {_article(name)} {name}{over}{end}" + _of_what(name, match)
    adjective = not dot and _describes(match)
    one = is_one(written) or hyphen or adjective
    joint = "-" if hyphen else " "
    said = f"{quantity(match['sign'] + written)}{joint}{name if one else _plural(name)}{over}{end}"
    return said + (
        " of"
        if name.endswith("byte") and not (hyphen or adjective) and _STORED.match(match.string, match.end())
        else ""
    )


_SPOONS = frozenset({"cup", "teaspoon", "tablespoon"})
_STORED = re.compile(r"\s(?:V?RAM|memory|storage|data|traffic|bandwidth|space)\b")
_NOT_IN_THEM = re.compile(r"\s(?:measures?|measuring|servings?|size|daily|left|plus|twice|once|extra|total)\b")


def _of_what(name: str, match: Match) -> str:
    """½ tsp salt is half a teaspoon of salt."""
    filled = name in _SPOONS and before_noun(match) and match.string[match.end() : match.end() + 1] == " "
    return " of" if filled and not _NOT_IN_THEM.match(match.string, match.end()) else ""


def _part(match: Match) -> str:
    """3/4 cup -> three quarters of a cup."""
    written = f"{match[1]}/{match[2]}"
    if int(match[1]) >= int(match[2]):
        return match[0]
    if describes(match):
        return f"{quantity(written)} {match[3]}"
    article = "an" if match[3] == "hour" else _article(match[3])
    return f"{'half' if written == '1/2' else quantity(written) + ' of'} {article} {match[3]}" + _of_what(
        match[3], match
    )


_AFTER_DEGREE = {
    "C": " Celsius", "F": " Fahrenheit", "K": " Kelvin", "N": " north", "S": " south", "E": " east",
    "W": " west",
}  # fmt: skip


def _describes(match: Match) -> bool:
    return describes(match) or bool(MEASURED_NOUN.match(match.string, match.end()))


def _degrees(match: Match) -> str:
    degree = "degree" if is_one(match["quantity"]) or _describes(match) else "degrees"
    scale = _AFTER_DEGREE.get(match["scale"] or "", "")
    return f"{quantity(match['sign'] + match['quantity'])} {degree}{scale}"


def _height(match: Match) -> str:
    feet = "foot" if match[1] == "1" else "feet"
    inches = "inch" if match[2] == "1" else "inches"
    return f"{cardinal(int(match[1]))} {feet} {quantity(match[2])} {inches}"


def _arc(match: Match) -> str:
    """51°30'26"N -> fifty-one degrees thirty minutes twenty-six seconds north."""
    parts = ((match[1], "degree"), (match[2], "minute"), (match[3], "second"))
    said = [f"{decimal(number)} {unit}{'' if number == '1' else 's'}" for number, unit in parts if number]
    return " ".join(said) + _AFTER_DEGREE.get(match[4] or "", "")


_OPENED = re.compile(r"(?<![^\s(\[,])\"(?=[^\s,.])")
_CLOSED = re.compile(r"(?<=[^\s(\[\d])\"")
_MARK_WINDOW = 300


def _quoted(match: Match, mark: str) -> bool:
    """Whether a quotation is open, which the mark after a number then closes."""
    before = match.string[max(0, match.start() - _MARK_WINDOW) : match.start()]
    if mark == "'":
        return bool(_SINGLE_OPENED.search(before))
    return len(_OPENED.findall(before)) > len(_CLOSED.findall(before))


_SINGLE_OPENED = re.compile(r"(?<!\w)'(?=[A-Za-z])[^']*\Z")


def _inches(match: Match) -> str:
    """A double quote after a number closes a quotation if one is open."""
    if _quoted(match, '"'):
        return match[0]
    one = is_one(match[1]) or before_noun(match) or re.fullmatch(r"\d+/\d+", match[1])
    return f"{quantity(match[1])} inch{'' if one else 'es'}"


def _feet(match: Match) -> str:
    if _quoted(match, "'"):
        return match[0]
    one = match[1] == "1" or (MEASURED_NOUN.match(match.string, match.end()) is not None)
    return f"{quantity(match[1])} {'foot' if one else 'feet'}"


def _sides(match: Match) -> str:
    """1920x1080 -> nineteen twenty by ten eighty."""
    sides = re.split(r"\s?[x×]\s?", match[0])
    return " by ".join(code(side) if len(side) == 4 and side.isdigit() else decimal(side) for side in sides)


_MEASURED = rf"(?P<sign>{SIGN}){START}(?<![\w/])(?P<quantity>{QUANTITY})"
_SCALED_UNIT = _either({unit: "" for unit in _UNITS if len(unit) > 1 and unit not in {"in", "min", "pt", "mi"}})

RULES: tuple[Rule, ...] = (
    # Before the seconds: hundreds of people.
    (
        re.compile(r"(?<![\w.,])(10{1,3})s(?= of\b)"),
        lambda m: {"10": "tens", "100": "hundreds", "1000": "thousands"}[m[1]],
    ),
    # Both ends of a span carry their unit.
    (re.compile(r"(?:(?<=\d[%°])|(?<=°[CF]))\s?[-–]\s?(?=[\d−])"), lambda _: " to "),
    (
        re.compile(
            r"(?<![\w.])(\d{1,3}(?:\.\d++)?+)\s?°\s?([0-5]?\d(?:\.\d++)?+)['′]"
            r"(?:\s?([0-5]?\d(?:\.\d++)?+)(?:[\"″]|''))?(?:\s?([NSEW])(?!\w))?"
        ),
        _arc,
    ),
    (
        re.compile(r"(?<![\w.])(\d{1,2})['′]\s?-?\s?(\d{1,2}(?:\.\d|[ -]\d/\d{1,2})?|\d/\d{1,2})(?:[\"″]|'')"),
        _height,
    ),
    (
        re.compile(
            r"(?<![\w.])(\d{1,2})\s?(?:ft\.?|feet|foot)\s(\d{1,2}(?:\.\d|\s\d/\d{1,2})?)\s?(?:in\b\.?(?!\s[a-z])|inch(?:es)?\b)"
        ),
        lambda m: _height(m) + ("." if m[0][-1] == "." and ends_sentence(m, at_any_capital=True) else ""),
    ),
    (
        re.compile(r"(?<![\w./'])(\d{1,6})(?:′|'(?=\s(?:tall|wide|long|high|deep|by|x)\b))"),
        lambda m: f"{cardinal(int(m[1]))} {'foot' if m[1] == '1' else 'feet'}",
    ),
    (re.compile(r"(?<![\w./'])(\d{1,4})'(?=\s(?:[a-z]|x\s)|[,;)])"), _feet),
    (
        re.compile(
            r"(?<![\w./-])(\d{1,3})\s(\d{1,2}/\d{1,2})-(foot|inch|mile|hour|yard|acre|pound|ounce|gallon|cup|year|ton)\b"
        ),
        lambda m: quantity(f"{m[1]} {m[2]}").replace(" ", "-") + "-" + m[3],
    ),
    (
        re.compile(
            rf"{START}(?<![\w/])({QUANTITY})-?\s?({_MEASURE_UNIT})-(wide|high|tall|long|deep|thick|old|plus)\b"
        ),
        lambda m: f"{quantity(m[1])}-{_UNITS[m[2]].replace(' ', '-')}-{m[3]}",
    ),
    # What is measured out: "500 mg/5 ml", "12/kg", "50 cents/lb".
    (
        re.compile(rf"(?<=\d)(\s?(?:{_MEASURE_UNIT}))\s?/\s?(?=\d++(?:\.\d++)?+\s?(?:{_MEASURE_UNIT})(?!\w))"),
        lambda m: m[1] + " per ",
    ),
    (
        re.compile(
            r"(?:(?<=\d)|(?<=cent)|(?<=cents)|(?<=dollars)|(?<=euros)|(?<=pounds)|(?<=pence))\s?/\s?"
            r"(kg|lb|oz|km|mi|hr|min|gal|ml|mL|kWh|sq ft)(?!\w)"
        ),
        lambda m: f" per {_UNITS[m[1]]}",
    ),
    (re.compile(r"(?<!\w)f/(\d{1,2}(?:\.\d)?)(?![\w/])"), lambda m: f"f {decimal(m[1])}"),
    (
        re.compile(r"(?<![\w.])(\d++(?:\.\d++)?+)[\"″]\s?[x×]\s?(\d++(?:\.\d++)?+)[\"″]"),
        lambda m: f"{decimal(m[1])} by {decimal(m[2])} inch" + ("" if before_noun(m) else "es"),
    ),
    (re.compile(rf"{START}(?<![\w\"]){QUANTITY.join('()')}(?:″|\"(?=\s[A-Za-z]|[,;.)?!]|\Z))"), _inches),
    # The last side keeps its digits for the unit that follows it.
    (
        re.compile(
            r"(?<![\w.×])(?<![x×]\s)\d++(?:\.\d++)?+(?:\s?[x×]\s?\d++(?:\.\d++)?+)++(?=\s?(?:px|mm|cm|m|in|ft|inches|feet|pixels|[kcm]?m[23^²³])\b)"
        ),
        lambda m: re.sub(r"\s?[x×]\s?", " by ", m[0]),
    ),
    (re.compile(r"(?<![\w.])(?<!x\s)\d++(?:\s?x\s?\d++)++(?![\w^])"), _sides),
    (
        re.compile(rf"{_MEASURED}(?P<join>[\s-]?){_UNIT}{_OVER}(?![\w^/])(?P<dot>\.(?=\s|\Z|,))?"),
        _measure,
    ),
    (
        re.compile(rf"(?:(?<=illion )|(?<=ousand ))({_SCALED_UNIT})(?!\w)"),
        lambda m: _plural(_UNITS[m[1]]),
    ),
    (
        re.compile(
            r"(?<![\w./-])(?<!\d\s)(\d{1,2})/(\d{1,2})\s(cup|teaspoon|tablespoon|inch|mile|hour|pound|ounce|gallon|pint|quart|acre"
            r"|meter|kilometer|liter|year|minute|second|day|yard)\b(?!-)"
        ),
        _part,
    ),
    (re.compile(rf"{_MEASURED}\s?°(?:\s?(?P<scale>[CFKNSEW])(?!\w))?"), _degrees),
)

#: A unit that no number precedes.
BARE: tuple[Rule, ...] = (
    (
        re.compile(r"\b((?:sq|cu|fl)\.\s(?:ft|mi|in|yd|km|m|oz))\b(\.?)"),
        lambda m: _plural(_UNITS[m[1]]) + ("." if m[2] and ends_sentence(m, at_any_capital=True) else ""),
    ),
    (
        re.compile(r"(?<![\w/])(km|m|cm|g|mg|kg|MB|GB|Mb|Gb)/(h|s|L|dL|kg|day)(?![\w/])"),
        lambda m: f"{_plural(_UNITS[m[1]])} per {(_UNITS | _PER)[m[2]]}",
    ),
)
