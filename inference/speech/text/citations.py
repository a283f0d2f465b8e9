"""Chapter and verse: "John 3:16-18" -> John chapter three, verses sixteen to eighteen."""

import re

from .numbers import cardinal
from .rules import Match, Rule

_BOOKS = {
    "Gen": "Genesis", "Ex": "Exodus", "Exod": "Exodus", "Lev": "Leviticus", "Num": "Numbers",
    "Deut": "Deuteronomy", "Josh": "Joshua", "Judg": "Judges", "Sam": "Samuel", "Kgs": "Kings",
    "Chr": "Chronicles", "Neh": "Nehemiah", "Ps": "Psalm", "Pss": "Psalms", "Prov": "Proverbs",
    "Eccl": "Ecclesiastes", "Isa": "Isaiah", "Jer": "Jeremiah", "Lam": "Lamentations", "Ezek": "Ezekiel",
    "Dan": "Daniel", "Hos": "Hosea", "Mic": "Micah", "Zech": "Zechariah", "Mal": "Malachi",
    "Matt": "Matthew", "Mt": "Matthew", "Mk": "Mark", "Lk": "Luke", "Jn": "John", "Rom": "Romans",
    "Cor": "Corinthians", "Gal": "Galatians", "Eph": "Ephesians", "Phil": "Philippians", "Col": "Colossians",
    "Thess": "Thessalonians", "Tim": "Timothy", "Heb": "Hebrews", "Jas": "James", "Pet": "Peter",
    "Rev": "Revelation",
}  # fmt: skip
_NAMES = (
    "Genesis|Exodus|Leviticus|Numbers|Deuteronomy|Joshua|Judges|Ruth|Samuel|Kings|Chronicles|Ezra|Nehemiah|Esther"
    "|Job|Psalms?|Proverbs|Ecclesiastes|Isaiah|Jeremiah|Lamentations|Ezekiel|Daniel|Hosea|Joel|Amos|Obadiah|Jonah"
    "|Micah|Nahum|Habakkuk|Zephaniah|Haggai|Zechariah|Malachi|Matthew|Mark|Luke|John|Acts|Romans|Corinthians"
    "|Galatians|Ephesians|Philippians|Colossians|Thessalonians|Timothy|Titus|Philemon|Hebrews|James|Peter|Jude"
    "|Revelation|Surah?|Quran|Qur'an"
)
_ORDER = {"1": "First", "2": "Second", "3": "Third", "I": "First", "II": "Second", "III": "Third"}


def _verse(match: Match) -> str:
    book = _BOOKS.get(match["book"].rstrip("."), match["book"].rstrip("."))
    order = f"{_ORDER[match['order']]} " if match["order"] else ""
    first, last = cardinal(int(match["first"])), match["last"]
    verses = f"verses {first} to {cardinal(int(last))}" if last else f"verse {first}"
    if match["end"]:
        verses = f"verse {first}, to chapter {cardinal(int(last))}, verse {cardinal(int(match['end']))}"
    # A psalm is no chapter, nor is a sura.
    chapter = "" if book.startswith(("Psalm", "Sura")) else "chapter "
    return f"{order}{book} {chapter}{cardinal(int(match['chapter']))}, {verses}"


RULES: tuple[Rule, ...] = (
    (
        re.compile(
            rf"(?:\b(?P<order>[123]|I{{1,3}})\s)?\b(?P<book>(?:{_NAMES})|(?:{'|'.join(_BOOKS)})\b\.?)\s"
            r"(?P<chapter>\d{1,3}):(?P<first>\d{1,3})(?:\s?[-–]\s?(?P<last>\d{1,3})(?::(?P<end>\d{1,3}))?)?(?![\w:]|\s?[AaPp]\.?[Mm]\b)"
        ),
        _verse,
    ),
    (
        re.compile(r"\b([123])\s(Cor|Sam|Kgs|Chr|Thess|Tim|Pet)\b\.?\s(\d{1,2})(?!\w|[:.,]\d)"),
        lambda m: f"{_ORDER[m[1]]} {_BOOKS[m[2]]} chapter {cardinal(int(m[3]))}",
    ),
)
