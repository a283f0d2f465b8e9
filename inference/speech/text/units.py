"""Measures: "5 lbs" -> five pounds, "10 km/h" -> ten kilometers per hour, "-5°C" -> minus five degrees."""

import re

from .lengths import HEMISPHERES
from .numbers import QUANTITY, SIGN, START, cardinal, code, decimal, is_one, quantity
from .rules import MEASURED_NOUN, Match, Rule, before_noun, describes, ends_sentence
from .unit_names import DOTTED, IRREGULAR, PER, UNITS


def _either(words: dict[str, str]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


_UNIT = rf"(?P<unit>{_either(UNITS)})(?:\^?(?P<power>[23]))?"
_OVER = (
    rf"(?:\s?/\s?(?P<over>{_either(UNITS | PER)})(?:\^?(?P<over_power>[23]))?"
    r"(?:/(?P<third>day|d|h|hr|min|week|month|year|kg|person)(?!\w))?)?"
)
_MEASURE_UNIT = _either({unit: "" for unit in UNITS if len(unit) > 1 or unit in "mgLlsWV"})
_POWERS = {"2": "square ", "3": "cubic ", None: ""}


def _plural(name: str) -> str:
    """feet, square miles, miles per hour, millimeters of mercury."""
    head = re.split(r"(?= per | of )", name, maxsplit=1)
    *rest, noun = head[0].split(" ")
    return " ".join([*rest, IRREGULAR.get(noun, noun + "s")]) + "".join(head[1:])


def _article(noun: str) -> str:
    return "an" if noun[0] in "aeio" and not noun.startswith("one") else "a"


def _measure(match: Match) -> str:
    written, unit, power = match["quantity"], match["unit"], match["power"]
    hyphen, dot = match["join"] == "-", match["dot"]
    if unit == "in" and not dot and match["join"]:
        return match[0]
    name = _POWERS[power] + UNITS[unit]
    over = ""
    if match["over"]:
        below = (UNITS | PER)[match["over"]]
        squared = match["over_power"] and below == "second"
        over = f" per {below} squared" if squared else f" per {_POWERS[match['over_power']]}{below}"
        if match["third"]:
            over += f" per {(UNITS | PER)[match['third']]}"
    end = "." if dot and (unit not in DOTTED or ends_sentence(match, at_any_capital=True)) else ""
    parts = re.fullmatch(r"(\d+)/(\d+)", written)
    if parts and len(parts[1]) <= len(parts[2]) and parts[1].zfill(len(parts[2])) < parts[2]:
        part = "half" if written == "1/2" else quantity(written) + " of"
        return f"{part} {_article(name)} {name}{over}{end}" + _of_what(name, match)
    adjective = (MEASURED_NOUN.match(match.string, match.end()) is not None) if dot else _describes(match)
    one = is_one(written) or hyphen or adjective
    joint = "-" if hyphen else " "
    said = f"{quantity(match['sign'] + written)}{joint}{name if one else _plural(name)}{over}{end}"
    if hyphen or adjective:
        return said
    what = _STORED if name.endswith("byte") else _FOOD if name in _MEASURED_OUT else None
    return said + (" of" if what and what.match(match.string, match.end()) else "")


_SPOONS = frozenset({"cup", "teaspoon", "tablespoon"})
_STORED = re.compile(r"\s(?:V?RAM|memory|storage|data|traffic|bandwidth|space)\b")
_FOOD = re.compile(
    r"\s(?:(?:baking|olive|brown|white|black|red|green|ground|chopped|minced|fresh|dried|heavy|sour|whipping|powdered"
    r"|granulated|unsalted|melted|softened|shredded|grated|sliced|diced|plain|caster|icing|self-raising|all-purpose|soy"
    r"|tomato|lemon|lime|orange|coconut|peanut|almond|vegetable|sesame|cream|maple|vanilla|chicken|beef|pork)\s)?"
    r"(?:sugar|salt|flour|butter|oil|milk|water|honey|vanilla|cinnamon|yeast|powder|soda|cream|cheese|rice|pasta|chicken"
    r"|beef|pork|lamb|turkey|ham|bacon|gin|rum|vodka|whisk(?:e)?y|tequila|wine|beer|juice|vinegar|sauce|pepper|garlic"
    r"|onions?|cocoa|chocolate|coffee|tea|syrup|broth|stock|oats|nuts|almonds|walnuts|potatoes|tomatoes|carrots|spinach"
    r"|parsley|basil|cilantro|coriander|ginger|mustard|mayonnaise|ketchup|yog(?:h)?urt|mushrooms|gold|silver|cement"
    r"|sand)\b"
)
_MEASURED_OUT = frozenset({
    "cup", "teaspoon", "tablespoon", "ounce", "fluid ounce", "pound", "gram", "kilogram", "milliliter", "liter",
    "pint", "quart", "gallon",
})  # fmt: skip
_NOT_IN_THEM = re.compile(r"\s(?:measures?|measuring|servings?|size|daily|left|plus|twice|once|extra|total)\b")


def _of_what(name: str, match: Match) -> str:
    """½ tsp salt is half a teaspoon of salt."""
    filled = name in _SPOONS and before_noun(match) and match.string[match.end() : match.end() + 1] == " "
    filled |= name in _MEASURED_OUT and _FOOD.match(match.string, match.end()) is not None
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
    "C": " Celsius", "F": " Fahrenheit", "K": " Kelvin", **HEMISPHERES,
}  # fmt: skip


def _describes(match: Match) -> bool:
    return describes(match) or bool(MEASURED_NOUN.match(match.string, match.end()))


def _degrees(match: Match) -> str:
    degree = "degree" if is_one(match["quantity"]) or _describes(match) else "degrees"
    scale = _AFTER_DEGREE.get(match["scale"] or "", "")
    return f"{quantity(match['sign'] + match['quantity'])} {degree}{scale}"


def _sides(match: Match) -> str:
    """1920x1080 -> nineteen twenty by ten eighty."""
    sides = re.split(r"\s?[x×]\s?", match[0])
    return " by ".join(code(side) if len(side) == 4 and side.isdigit() else decimal(side) for side in sides)


_MANY = {
    "10": "tens", "100": "hundreds", "1000": "thousands", "1,000": "thousands", "10,000": "tens of thousands",
    "100,000": "hundreds of thousands", "1,000,000": "millions",
}  # fmt: skip
_SIDE = r"(?:\d++\ \d{1,2}/\d{1,2}|\d++/\d{1,2}|\d++(?:\.\d++)?+)"
_MEASURED = rf"(?P<sign>{SIGN}){START}(?<![\w/])(?<!\b[A-Za-z]-)(?P<quantity>{QUANTITY})"
_SCALED_UNIT = _either({unit: "" for unit in UNITS if len(unit) > 1 and unit not in {"in", "min", "pt", "mi"}})

RULES: tuple[Rule, ...] = (
    # Before the seconds: hundreds of people.
    (
        re.compile(rf"(?<![\w.,])({'|'.join(map(re.escape, _MANY))})s(?= of\b)"),
        lambda m: _MANY[m[1]],
    ),
    # Ages in short.
    (re.compile(r"(?<![\w.,])(\d{1,3})(?:\s?-?yo|\s?y/o)\b"), lambda m: f"{cardinal(int(m[1]))}-year-old"),
    (
        re.compile(
            r"(?<![\w.,])(\d{1,3})\s?A(?=\s(?:fuse|breaker|circuit|charger|current|socket|plug|supply|outlet)\b)"
        ),
        lambda m: f"{cardinal(int(m[1]))} amp",
    ),
    # Both ends of a span carry their unit.
    (re.compile(r"(?:(?<=\d[%°])|(?<=°[CF]))\s?[-–]\s?(?=[\d−])"), lambda _: " to "),
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
        lambda m: f"{quantity(m[1])}-{UNITS[m[2]].replace(' ', '-')}-{m[3]}",
    ),
    # What is measured out: "500 mg/5 ml", "12/kg", "50 cents/lb".
    (
        re.compile(rf"(?<=\d)(\s?(?:{_MEASURE_UNIT}))\s?/\s?(?=\d++(?:\.\d++)?+\s?(?:{_MEASURE_UNIT})(?!\w))"),
        lambda m: m[1] + " per ",
    ),
    (
        re.compile(
            r"(?:(?<=\d)|(?<=cent)|(?<=cents)|(?<=dollars)|(?<=euros)|(?<=pounds)|(?<=pence))\s?/\s?"
            r"(kg|lb|oz|km|mi|hr|min|gal|ml|mL|kWh|sq ft|(?<=[a-z]/)(?!each\b)[a-z]{3,12})(?!\w)"
        ),
        lambda m: f" per {UNITS.get(m[1], m[1])}",
    ),
    (
        re.compile(r"(?:(?<=cents)|(?<=dollars)|(?<=euros)|(?<=pounds)|(?<=pence))/([lL])(?!\w)"),
        lambda m: f" per {UNITS[m[1]]}",
    ),
    (
        re.compile(r"(?<![\w.,])(\d{1,3}(?:\.\d++)?+)\s?[c¢]/(kWh|kg|lb|oz|min|km|mi)(?!\w)"),
        lambda m: f"{decimal(m[1])} cent{'' if m[1] == '1' else 's'} per {UNITS[m[2]]}",
    ),
    (
        re.compile(r"(?<=[a-z])/(km|m|cm|mi)(?:²|\^?2)(?![\w/])"),
        lambda m: f" per square {UNITS[m[1]]}",
    ),
    (re.compile(r"(?<!\w)f/(\d{1,2}(?:\.\d)?)(?![\w/])"), lambda m: f"f {decimal(m[1])}"),
    (
        re.compile(rf"(?<![\w./])({_SIDE})\s?x\s?({_SIDE})(?![\w^/]|\.\d|\s?x|\s?(?:{_MEASURE_UNIT})\b)"),
        lambda m: f"{quantity(m[1])} by {quantity(m[2])}" if "/" in m[0] or "." in m[0] else m[0],
    ),
    (
        re.compile(r"(?<![\w.])([1-9])x([1-9]|1[0-2])s(?!\w)"),
        lambda m: f"{cardinal(int(m[1]))} by {_plural(cardinal(int(m[2])))}",
    ),
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
        lambda m: _plural(UNITS[m[1]]),
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
        re.compile(
            r"(?<=\bper )(kg|lb|oz|km|hr|min|sec|sq ft|sqft|ml|mL|kWh|GB|MB|TB|ha|yr|mo|wk|gal)(?!\w)"
            r"(?:\.(?=\s[a-z]))?"
        ),
        lambda m: "month" if m[1] == "mo" else UNITS[m[1]],
    ),
    (
        re.compile(r"\b((?:sq|cu|fl)\.\s(?:ft|mi|in|yd|km|m|oz))\b(\.?)"),
        lambda m: _plural(UNITS[m[1]]) + ("." if m[2] and ends_sentence(m, at_any_capital=True) else ""),
    ),
    (
        re.compile(r"(?<![\w/])(km|m|cm|g|mg|kg|MB|GB|Mb|Gb|kW|kJ|kcal|W(?=/kg))/(h|hr|s|L|dL|kg|day)(?![\w/])"),
        lambda m: f"{_plural(UNITS[m[1]])} per {(UNITS | PER)[m[2]]}",
    ),
    (re.compile(r"(?<=[A-Za-z])/((?<=[A-Z]/)ml|mL|dL|µL|kWh)(?![\w/])"), lambda m: f" per {UNITS[m[1]]}"),
    (
        re.compile(r"\b(req|reqs|tok|img|msg)/s(?![\w/])"),
        lambda m: {"tok": "tokens", "img": "images", "msg": "messages"}.get(m[1], "requests") + " per second",
    ),
    # No word begins with the sign for a millionth.
    (re.compile(r"(?<!\w)(µ(?:m|g|s|L|l|F))(?!\w)"), lambda m: _plural(UNITS[m[1]])),
)
