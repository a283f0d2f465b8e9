"""Roman numerals, only where a word or a name before them says that they are numbers."""

import re

from .numbers import cardinal, ordinal, year
from .rules import STARTERS, Match, Rule

_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
_COUNTED = (
    r"Chapter|Part|Book|Act|Scene|Volume|Section|Article|Appendix|Phase|Type|Class|Level|Stage|Grade|Title|Division"
    r"|Figure|Table|Episode|Season|Unit|Step|Lesson|War|Bowl|Superbowl|Week|Mark|Tier|Group|Schedule|Annex|Canto|Verse|Round|Rule"
    r"|Edition|Quarter|Form|Category|Region|Vatican|Apollo|Saturn|Rocky"
)
_RULERS = (
    r"Henry|Louis|Elizabeth|George|Charles|Edward|James|Richard|William|Mary|John|Paul|Benedict|Pius|Napoleon|Philip"
    r"|Ferdinand|Catherine|Peter|Nicholas|Alexander|Frederick|Gregory|Innocent|Leo|Clement|Urban|Francis|Ramesses"
    r"|Ramses|Thutmose|Ptolemy|Cleopatra|Darius|Xerxes|Otto|Wilhelm|Friedrich|Leopold|Albert|Christian|Gustav"
    r"|Haakon|Harald|Robert|David|Malcolm|Victoria|Margaret|Isabella|Alfonso|Carlos|Felipe|Juan|Constantine|Julius"
    r"|Sixtus|Boniface|Urban|Adrian|Stephen|Ivan|Selim|Mehmed|Murad|Suleiman|Harold|Edmund"
)
_GIVEN = (
    r"Aaron|Adam|Alan|Alex|Alfred|Andrew|Anthony|Arthur|Ben|Benjamin|Bill|Bob|Brian|Bruce|Carl|Charlie|Clarence|Clark"
    r"|Cornelius|Daniel|Dennis|Donald|Douglas|Earl|Edgar|Edwin|Eric|Ernest|Eugene|Frank|Franklin|Fred|Gary|Gerald"
    r"|Gordon|Harrison|Harry|Harvey|Henry|Herbert|Howard|Hugh|Jack|Jacob|Jason|Jeffrey|Jerry|Jim|Joe|Jonathan|Joseph"
    r"|Joshua|Justin|Keith|Kenneth|Kevin|Lawrence|Leonard|Lewis|Lloyd|Martin|Matthew|Michael|Mike|Nathan|Nathaniel|Neil"
    r"|Oliver|Oscar|Patrick|Philip|Phillip|Ralph|Raymond|Roger|Ronald|Roy|Russell|Sam|Samuel|Scott|Sean|Sidney|Simon"
    r"|Steven|Ted|Theodore|Thomas|Thurston|Tim|Timothy|Tom|Vincent|Walter|Warren|Winston"
)
#: Thousands to ones, in their canonical spelling only.
_NUMERAL = r"(?=[IVXLCDM])M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})"
# One letter alone is a letter, but for the numerals nobody uses as letters in such a place.
_SAFE = rf"(?:(?=[IVXLCDM]{{2}}){_NUMERAL}|[IVX])"


_SEQUEL = r"(?:X?(?:II|III|VII|VIII)|XIV)"


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


def _marked(match: Match) -> str:
    """The XIIth is a numeral by its ending."""
    number = roman(match[1]) if re.fullmatch(_NUMERAL, match[1]) else 0
    return ordinal(number) if number else match[0]


_STARTING = rf"(?:{'|'.join(sorted(STARTERS - {'A', 'I'}))})"
_SURNAME = re.compile(r"\.\s([A-Z][a-z]+)")


def _first(match: Match) -> str:
    """Charles I ruled; Charles I. Jones has a middle name."""
    named = _SURNAME.match(match.string, match.end())
    return match[0] if named and named[1] not in STARTERS else _ruler(match)


_CARDINAL_I = (
    r"(?=\s(?:of|and|was|died|became|ruled|reigned|married|succeeded|ordered)\b|'s|[.;:)]|\Z|,(?!\s(?:too|also|for"
    r"|am|as|like|would|do|don't|can|will|have|think|love|hope|want|need|miss|know|really|just|agree|personally)\b))"
)
# Names that live people bear before an initial: a single letter after them needs a throne.
_COMMON = re.compile(
    r"\b(?:David|Malcolm|Robert|Albert|Peter|Adrian|James|John|Mary|Richard|William|Paul|Stephen|Margaret|Victoria"
    r"|Francis|Christian|Alexander|Nicholas|Harold|Edmund|Ivan|Carlos|Juan|Julius|Otto|Leo|Catherine|Isabella)\Z"
)
_THRONE = re.compile(
    r"\b(?:King|Queen|Pope|Emperor|Empress|Tsar|Czar|Kaiser|Prince|Sultan|Saint|St\.?|antipope)\s(?:[A-Z][a-z]+\s)?\Z"
)
_OF = re.compile(r"'s\s(?:reign|court|army|wife|death)|\sof\s[A-Z]|\s(?:reigned|ruled|ascended|abdicated)\b")


def _ruler_letter(match: Match) -> str:
    """Henry V was king; James V. Smith, Malcolm X and Peter V are not."""
    before = match.string[max(0, match.start() - 24) : match.start()]
    throned = _THRONE.search(before) or _OF.match(match.string, match.end())
    return match[0] if _COMMON.search(match[1]) and not throned else _ruler(match)


RULES: tuple[Rule, ...] = (
    # "World Wars I and II": both are counted.
    (
        re.compile(
            rf"\b((?i:{_COUNTED})s)\s((?=[IVX]){_NUMERAL})((?:\sand|\sor|\sto|\sthrough|,)\s)((?=[IVX]){_NUMERAL})(?![\w'’])"
        ),
        lambda m: f"{_counted(m)}{m[3]}{cardinal(roman(m[4]))}",
    ),
    (re.compile(rf"\b(?:Mk|MK)\.?\s((?=[IVX]){_NUMERAL})(?![\w'’])"), lambda m: f"Mark {cardinal(roman(m[1]))}"),
    (re.compile(rf"\b((?:{_COUNTED})s?)\s({_SAFE})(?![\w'’])"), _counted),
    (re.compile(rf"\b((?:{_COUNTED.upper()})S?)\s((?=[IVXL]{{2}}){_NUMERAL})(?![\w'’])"), _counted),
    (re.compile(rf"\b((?i:{_COUNTED})s?)\s((?=[ivx]{{2}})x{{0,3}}(?:ix|iv|v?i{{0,3}}))(?![\w'’])"), _counted),
    (re.compile(rf"\b((?:{_COUNTED.lower()})s?)\s((?=[IVX]{{2}}){_NUMERAL})(?![\w'’])"), _counted),
    (re.compile(rf"\b({_RULERS})\s((?=[IVXL]{{2}}){_NUMERAL})(?!\w|\.\s?[A-Z]\.)"), _ruler),
    # Sons who bear their fathers' names: "Sam II", "John D. Rockefeller III".
    (
        re.compile(
            rf"\b((?:{_RULERS}|{_GIVEN})(?:\s[A-Z]\.?)?(?:\s(?!(?:{_COUNTED})\b)[A-Z][a-z]+)?,?)"
            r"\s(II|III|IV)(?!\w|\.\s?[A-Z]\.|\s(?:drip|fluids?|lines?|antibiotics|therapy)\b)"
        ),
        _ruler,
    ),
    (
        re.compile(rf"\b({_RULERS})\s([VX])(?!\w|\.\s?(?!{_STARTING}\b)[A-Z]|\s(?!The\b|He\b|His\b)[A-Z][a-z])"),
        _ruler_letter,
    ),
    (re.compile(rf"\b({_RULERS})\s(I){_CARDINAL_I}"), _first),
    (re.compile(r"\bWW(?:(II)|I|(2)|1)(?!\w)"), lambda m: f"World War {'two' if m[1] or m[2] else 'one'}"),
    (
        re.compile(
            rf"(?<![\w'])((?=[IVX]){_NUMERAL})(?:th|st|nd|rd)?(?=(?:\s?[-–]\s?[XIV]+(?:th)?)?\s(?:[Cc]entury|[Cc]enturies)\b)"
        ),
        lambda m: ordinal(roman(m[1])),
    ),
    (re.compile(r"(?<![\w'])((?=[IVX]{2})[XVI]{2,6})(?:th|st|nd|rd)(?!\w)"), _marked),
    (re.compile(r"(?<=th)[-–](?=[a-z-]+(?:th|st|nd|rd)\s[Cc]entur)"), lambda _: " to "),
    (re.compile(rf"(?<![\w'-])((?=M[CDMLXVI]{{4}}){_NUMERAL})(?![\w'-])"), lambda m: year(roman(m[1]))),
    # Sequels: "Final Fantasy VII". Letters that may be an abbreviation stay: "Use VI", but "Final Fantasy VI".
    (
        re.compile(rf"\b(?!(?:{'|'.join(sorted(STARTERS))})\b)([A-Z][a-z]{{2,}})\s({_SEQUEL})(?![\w'’]|\.[A-Z])"),
        _counted,
    ),
    (re.compile(r"\b([A-Z][a-z]{2,}\s[A-Z][a-z]{2,})\s(VI|IX)(?![\w'’]|\.[A-Z])"), _counted),
    # The items of a list.
    (
        re.compile(r"(?:\A|(?<=[.;:,] ))\(?((?=[ivx])x{0,3}(?:ix|iv|v?i{0,3}))[.)]\s(?=[A-Za-z])"),
        lambda m: f"{cardinal(roman(m[1]))}, ",
    ),
)
