"""Roman numerals, only where a word or a name before them says that they are numbers."""

import re

from .numbers import cardinal, ordinal
from .rules import Match, Rule

_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
_COUNTED = (
    r"Chapter|Part|Book|Act|Scene|Volume|Section|Article|Appendix|Phase|Type|Class|Level|Stage|Grade|Title|Division"
    r"|Figure|Table|Episode|Season|Unit|Step|Lesson|War|Bowl|Mark|Tier|Group|Schedule|Annex|Canto|Verse|Round|Rule"
    r"|Edition|Quarter|Form|Category|Region|Vatican|Apollo|Saturn|Rocky"
)
_RULERS = (
    r"Henry|Louis|Elizabeth|George|Charles|Edward|James|Richard|William|Mary|John|Paul|Benedict|Pius|Napoleon|Philip"
    r"|Ferdinand|Catherine|Peter|Nicholas|Alexander|Frederick|Gregory|Innocent|Leo|Clement|Urban|Francis|Ramesses"
    r"|Ramses|Thutmose|Ptolemy|Cleopatra|Darius|Xerxes|Otto|Wilhelm|Friedrich|Leopold|Albert|Christian|Gustav"
    r"|Haakon|Harald|Robert|David|Malcolm|Victoria|Margaret|Isabella|Alfonso|Carlos|Felipe|Juan|Constantine|Julius"
    r"|Sixtus|Boniface|Urban|Adrian|Stephen|Ivan|Selim|Mehmed|Murad|Suleiman|Harold|Edmund"
)
#: Thousands to ones, in their canonical spelling only.
_NUMERAL = r"(?=[IVXLCDM])M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})"
# One letter alone is a letter, but for the numerals nobody uses as letters in such a place.
_SAFE = rf"(?:(?=[IVXLCDM]{{2}}){_NUMERAL}|[IVX])"


def roman(written: str) -> int:
    """XIV -> 14."""
    values = [_VALUES[letter] for letter in written.upper()]
    return sum(
        -value if any(later > value for later in values[place + 1 : place + 2]) else value
        for place, value in enumerate(values)
    )


def _counted(match: Match) -> str:
    return f"{match[1]} {cardinal(roman(match[2]))}"


def _ruler(match: Match) -> str:
    return f"{match[1]} the {ordinal(roman(match[2]))}"


RULES: tuple[Rule, ...] = (
    (re.compile(rf"\b((?:{_COUNTED})s?)\s({_SAFE})(?![\w'’])"), _counted),
    (re.compile(rf"\b((?i:{_COUNTED})s?)\s((?=[ivx]{{2}})x{{0,3}}(?:ix|iv|v?i{{0,3}}))(?![\w'’])"), _counted),
    (re.compile(rf"\b({_RULERS})\s((?=[IVXL]{{2}}){_NUMERAL}|[VX])(?!\w|\.\s?[A-Z]\.)"), _ruler),
    (
        re.compile(
            rf"\b({_RULERS})\s(I)(?=\s(?:of|and|was|died|became|ruled|reigned|married|succeeded|ordered)\b|'s|[,.;:)]|\Z)"
        ),
        _ruler,
    ),
)
