"""The names of units: as they are written, and as they are said in the singular."""

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
    ("Å", "angstrom", ""), ("A", "amp", "nµmk"),
)  # fmt: skip
_BARE = frozenset(
    {"m", "g", "L", "l", "s", "Hz", "W", "V", "Wh", "Ah", "J", "Pa", "eV", "Ω", "mol", "cal", "N", "Å"}
)
UNITS = {prefix + base: _PREFIXES[prefix] + name for base, name, prefixes in _PREFIXED for prefix in prefixes}
UNITS |= {base: name for base, name, _ in _PREFIXED if base in _BARE}
UNITS |= {
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
    "cu. yds": "cubic yard", "sq. yds": "square yard", "qts": "quart", "gals": "gallon",
    "ozs": "ounce", "tsps": "teaspoon", "tbsps": "tablespoon",
    "fl. oz": "fluid ounce", "sq. km": "square kilometer", "c.c": "cc",
}  # fmt: skip
# As people write them where no other unit is spelled so.
UNITS |= {
    written: UNITS[unit]
    for unit in ("km", "kg", "cm", "lb", "lbs", "oz", "mph", "kph", "mL", "Hz", "kHz", "MHz", "GHz")
    for written in (unit.upper(), unit.lower(), unit.capitalize())
}
UNITS |= {"gb": "gigabyte", "mb": "megabyte", "kb": "kilobyte", "tb": "terabyte"}
# A full stop after these belongs to the abbreviation.
DOTTED = {
    "lb", "lbs", "oz", "ft", "yd", "yds", "mi", "gal", "qt", "tsp", "tbsp", "Tbsp", "hr", "hrs", "min", "mins",
    "sec", "secs", "wk", "wks", "yr", "yrs", "in", "fl oz", "sq ft", "cu ft", "sq mi",
    "sq. ft", "sq. m", "sq. mi", "sq. in", "cu. ft", "cu. m", "cu. in", "fl. oz", "sq. yd", "cu. yd", "mos", "pcs",
    "pkgs", "doz", "c.c", "cu. yds", "sq. yds", "qts", "gals", "ozs",
    "tsps", "tbsps",
}  # fmt: skip
IRREGULAR = {
    "six": "sixes",
    "foot": "feet", "inch": "inches", "hertz": "hertz", "kilohertz": "kilohertz", "megahertz": "megahertz",
    "gigahertz": "gigahertz", "terahertz": "terahertz", "horsepower": "horsepower", "cc": "cc", "lux": "lux",
    "dozen": "dozen",
}  # fmt: skip
PER = {
    "d": "day", "day": "day", "month": "month", "week": "week", "year": "year", "hour": "hour",
    "minute": "minute", "second": "second", "person": "person", "capita": "capita", "dL": "deciliter",
}  # fmt: skip
