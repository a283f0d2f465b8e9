"""Abbreviations that are said in full, and the full stops of those that are not."""

import re

from .rules import STARTERS, Match, Rule, ends_sentence

#: Said in full before a name.
TITLES = {
    "Mr": "Mister", "Mrs": "Missus", "Ms": "Ms", "Dr": "Doctor", "Prof": "Professor", "Rev": "Reverend",
    "Hon": "Honorable", "Gen": "General", "Col": "Colonel", "Maj": "Major", "Capt": "Captain",
    "Cmdr": "Commander", "Lt": "Lieutenant", "Sgt": "Sergeant", "Cpl": "Corporal", "Sen": "Senator",
    "Gov": "Governor", "Rep": "Representative", "Pres": "President", "Fr": "Father", "Mt": "Mount",
    "Ft": "Fort", "St": "Saint", "Mme": "Madame", "Mlle": "Mademoiselle", "Pvt": "Private", "Adm": "Admiral",
    "Det": "Detective", "Insp": "Inspector", "Supt": "Superintendent", "Amb": "Ambassador", "Atty": "Attorney",
    "Br": "Brother",
}  # fmt: skip
_DOTLESS_TITLES = "Mr|Mrs|Dr|Prof|Capt|Sgt|Mt"
_STREETS = {
    "St": "Street", "Dr": "Drive", "Ave": "Avenue", "Av": "Avenue", "Blvd": "Boulevard", "Rd": "Road",
    "Ln": "Lane", "Hwy": "Highway", "Pkwy": "Parkway", "Sq": "Square", "Ct": "Court", "Pl": "Place",
}  # fmt: skip
_CLEAR_STREETS = "Ave|Av|Blvd|Rd|Ln|Hwy|Pkwy|Sq|Ct|Pl"
#: Said in full anywhere; the full stop may also end the sentence.
_WORDS = {
    "e.g": "for example", "eg": "for example", "i.e": "that is", "etc": "et cetera", "vs": "versus",
    "dept": "department", "Dept": "Department", "govt": "government",
    "Govt": "Government", "et al": "and others", "cf": "compare", "viz": "namely", "Jr": "Junior",
    "Sr": "Senior", "Inc": "Incorporated", "Corp": "Corporation", "Co": "Company", "Ltd": "Limited",
    "Bros": "Brothers", "Univ": "University", "Assn": "Association", "assn": "association",
    "Apt": "Apartment", "apt": "apartment", "Ste": "Suite", "misc": "miscellaneous", "avg": "average",
    "max": "maximum", "temp": "temperature", "tel": "telephone", "Tel": "telephone", "a.k.a": "also known as",
    "esp": "especially", "incl": "including", "excl": "excluding", "est": "estimated", "appt": "appointment",
    "asst": "assistant", "Asst": "Assistant", "Intl": "International", "intl": "international",
    "c.f": "compare", "ibid": "ibid", "Rm": "Room", "Bldg": "Building", "p.a": "per annum", "Blvd": "Boulevard",
    "Messrs": "Messieurs", "Mdm": "Madam", "approx": "approximately", "Sts": "Saints",
    "Drs": "Doctors", "Fl": "Floor", "Mtg": "Meeting", "mtg": "meeting", "Mgr": "Manager", "mgr": "manager",
    "Natl": "National", "natl": "national", "Attn": "Attention",
    "attn": "attention", "Ave": "Avenue", "ext": "extension", "Ext": "Extension", "Mfg": "Manufacturing",
    "Appt": "Appointment", "Amt": "Amount", "amt": "amount", "Acct": "Account", "acct": "account",
    "Qty": "Quantity", "qty": "quantity", "doz": "dozen", "cont": "continued", "univ": "university",
    "mgmt": "management", "Mgmt": "Management",
}  # fmt: skip
#: Said in full before a number.
_COUNTED = {
    "No": "number", "Nos": "numbers", "no": "number", "nos": "numbers", "Fig": "figure", "Figs": "figures",
    "fig": "figure", "Eq": "equation", "Ch": "chapter", "ch": "chapter", "Vol": "volume", "vol": "volume",
    "Sec": "section", "Art": "article", "pp": "pages", "p": "page", "pg": "page", "ca": "circa", "c": "circa",
    "Pt": "part", "Ver": "version", "ver": "version", "Op": "opus", "op": "opus",
    "chap": "chapter", "Chap": "chapter", "para": "paragraph", "Para": "paragraph", "paras": "paragraphs",
    "Vols": "volumes", "vols": "volumes", "Secs": "sections", "Arts": "articles", "Chs": "chapters",
    "Eqs": "equations", "eq": "equation", "Eqn": "equation", "Tab": "table", "App": "appendix", "Ex": "example",
    "b": "born", "d": "died", "v": "version", "Bk": "book", "bk": "book", "Pp": "pages", "vs": "versus",
    "fn": "footnote", "n": "note", "l": "line", "ll": "lines", "ed": "edition",
    "Pg": "page", "Par": "paragraph", "Sect": "section", "sect": "section", "sec": "section", "Tbl": "table",
    "Appx": "appendix", "chs": "chapters", "rev": "revision", "Rev": "Revision",
}  # fmt: skip
_SLASHED = {
    "w/out": "without", "w/o": "without", "w/": "with ", "b/c": "because", "and/or": "and or",
    "he/she": "he or she", "she/he": "she or he", "his/her": "his or her", "him/her": "him or her",
    "s/he": "he or she", "n/a": "not applicable", "c/o": "care of", "either/or": "either or",
    "y/y": "year over year", "q/q": "quarter over quarter", "m/m": "month over month",
    "he/him": "he him", "she/her": "she her", "they/them": "they them", "true/false": "true or false",
    "a/k/a": "also known as", "f/k/a": "formerly known as", "d/b/a": "doing business as",
}  # fmt: skip

# In capitals these stand for something else, W/L and B/C and C/O ratios.
_SMALL = frozenset({"w/", "b/c", "c/o", "s/he"})
# Born, died, circa, line, note: only before a year or a small number of the right shape.
_YEARS_ONLY = frozenset({"b", "d", "c", "ca"})
_SMALL_ONLY = frozenset({"v", "n", "l", "ll", "ed", "Tab", "App", "Ex", "vs"})
_YEAR = re.compile(
    r"\s?(?:(?:1\d{3}|20\d\d|[1-9]\d\d)(?!\w|[.,]\d)|\d{1,2}/\d{1,2}/\d\d|\d{1,2}\s[A-Z][a-z]{2,8}\.?\s\d{4})"
)

# What says that "no." is the answer and "fig." the fruit, before it and after it.
_ANSWERED = re.compile(
    r"\b(?:said|says?|saying|or|(?:answer(?:ed|s)?|repl(?:y|ied|ies)|response|verdict|decision|vote|result)"
    r"(?:\s(?:is|was|came))?|shout(?:ed|s)?|absolutely|definitely"
    r"|hell|simply|just|oh|voted?|votes|means?"
    r"|told (?:me|him|her|us|them)|please,?|and|but|course|no,|um,|well,|\"no)"
    r"[\s,]\Z",
    re.IGNORECASE,
)
_FRUIT = re.compile(
    r"\b(?:a|an|ate|eat|eats|eating|one|ripe|fresh|dried|sweet|whole|last|first|another|juicy)\s\Z", re.IGNORECASE
)
_COUNTS = re.compile(
    r"\s?[\d,]++(?:\.\d+)?\s(?:(?:more|other|new|of(?!\s\d)|people|men|women|children|out|percent)\b"
    r"|(?!pencils?\b|envelopes\b|seeds\b|irons\b|needles\b|screws\b|is\b|was\b|has\b|as\b|this\b|seeds?\b|series\b"
    r"|says\b|makes\b|goes\b|comes\b|takes\b|gives\b|needs\b|gets\b|runs\b|leaves\b|arrives\b|begins\b|starts\b"
    r"|ends\b|looks\b|seems\b|states\b|shows\b|reads\b|wins\b|stands\b|covers\b|applies\b)"
    r"(?:[a-z]+-)?[a-z]{2,}s\b)|\s?[\d,]++\s(?:is|are|were|came|left|remain|have|had)\b"
)
# "the max. 5 people": the shortened noun ended its sentence.
_ENDED_BY_NUMBER = re.compile(
    r"\s(?:\d|(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|twenty|\w+[rfxn]ty|eighty)\b)"
)
_NOUN_BEFORE = re.compile(r"\b(?:the|to|its|his|her|their|my|our|a|high|low|no)\s\Z")
_VERSE = re.compile(r"\s?\d{1,2}:\d")
_QUESTION = re.compile(r"(?:[?!][\"')]*|\b(?:[Nn]ope|[Nn]ah|[Yy]es|[Yy]eah|not)\.)\s[\"']?\Z")
# "No. 3 and no. 4": the second is what the first is.
_ANOTHER = re.compile(r"\bno\.\s\d++,?\s(?:and|or)\s\Z", re.IGNORECASE)
_LOWER_BEFORE = re.compile(
    r"\b(?:use|with|of|size|the|in|at|from|to|on|is|was|a|see|for|bus|house|flat|room|platform|gate|section|chapter"
    r"|train|tram|car|track|line|rule|item|point|question|step|type|model|version|lot|seat|article|order|case|page"
    r"|issue|symphony|opus|bed|desk|door|exit|box|option|player|candidate|suspect|exhibit|choice|priority|reason|problem"
    r"|lesson|exercise|job|unit|group|class|round|game|match|episode|season|part|scene|song|ticket|invoice|account|form"
    r"|figure|table|product|patent|contestant|entry|recipe|tip|fact|enemy)\s\Z",
    re.IGNORECASE,
)
_OF_US = re.compile(r"\s?[\d,]++\sof\s(?:us|them|you)\b")
_RANKED = re.compile(r"\b(?:the|is|was|as|at|to)\s\Z", re.IGNORECASE)

_HOUSE_OR_ORDINAL = re.compile(r"\b\d[\w-]*(?:\s[A-Z][\w']*){1,3}\s\Z|\d(?:st|nd|rd|th)\s\Z")
_NAME_BEFORE = re.compile(r"\b[A-Z][a-z']+\s\Z")
_CAPITAL_AFTER = re.compile(r"\s([A-Z]\w*)")
_BEFORE_INITIAL = re.compile(
    r"(?:\A|[,.;:!?('\[—]|\b[A-Z][\w'.-]*|\b(?:and|by|of|with|from|to|for|or|say|says|said))\s{0,2}\Z"
)
_NO_BREAK_AFTER_HALF = re.compile(
    r"\s(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
    r"|[ECMP][SDE]?T\b|GMT|UTC|BST|CEST)"
)


_STARTING = "|".join(sorted(STARTERS - {"A", "I"}))


def _either(words: dict[str, str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


def _street_or_title(match: Match) -> str:
    """St. and Dr. follow the name of a street or precede the name of a person."""
    before = match.string[max(0, match.start() - 40) : match.start()]
    after = _CAPITAL_AFTER.match(match.string, match.end())
    addressed = _HOUSE_OR_ORDINAL.search(before)
    named = _NAME_BEFORE.search(before) and (not after or after[1] in STARTERS)
    if addressed or named:
        return _STREETS[match[1]] + ("." if match[2] and ends_sentence(match) else "")
    return TITLES[match[1]] if after or (match[2] and match[1] == "Dr") else match[0]


def _counted(match: Match) -> str:
    """No. 5 is a number; "He said no. 5 people came." is an answer and another sentence."""
    word, string = match[1], match.string
    before = string[max(0, match.start() - 24) : match.start()]
    counts = _COUNTS.match(string, match.end(1) + 1)
    if word in _YEARS_ONLY and not _YEAR.match(string, match.end(1) + 1):
        return match[0]
    if word in {"Ex", "Rev"} and _VERSE.match(string, match.end(1) + 1):
        return match[0]
    if word == "sec" and before.rstrip()[-1:].isdigit():
        return match[0]
    if word in _SMALL_ONLY and not (
        word == "vs" or before.endswith(("(", ", ", "; ")) or word in {"Ex", "App", "Tab"}
    ):
        return match[0]
    if word in {"no", "No", "nos", "NO"}:
        of_us = _OF_US.match(string, match.end(1) + 1) and not _RANKED.search(before)
        answered = of_us or (_ANSWERED.search(before) and (word == "no" or counts) and not _ANOTHER.search(before))
        countable = counts and (
            _QUESTION.search(before) or (word == "no" and not _LOWER_BEFORE.search(before))
            if word != "No" or _QUESTION.search(before)
            else counts[0].endswith((" of", " people")) and not _LOWER_BEFORE.search(before)
        )
        if answered or (countable and not before.endswith("(")):
            return match[0]
    if word in {"fig", "figs"} and _FRUIT.search(before):
        return match[0]
    return _COUNTED[word] + " "


def _estimated(match: Match) -> str:
    return "established " if _YEAR.match(match.string, match.end()) else "estimated "


def _slashed(match: Match) -> str:
    written = match[1]
    after = match.string[match.end() : match.end() + 1]
    if written.lower() in _SMALL and not written.islower() and not (written == "W/" and after == " "):
        return match[0]
    return _SLASHED.get(written.lower(), written)


def _word(match: Match) -> str:
    if match[1] in {"max", "temp"} and _ENDED_BY_NUMBER.match(match.string, match.end()):
        before = match.string[max(0, match.start() - 16) : match.start()]
        if _NOUN_BEFORE.search(before):
            return match[0]
    said = _WORDS[match[1]] if match[1] in _WORDS else _WORDS[match[1].lower()]
    said = said.capitalize() if match[1][0].isupper() and match[1] not in _WORDS else said
    return said + ("." if ends_sentence(match, at_any_capital=match[1] == "etc") else "")


def _street(match: Match) -> str:
    return _STREETS[match[1]] + ("." if match[2] and ends_sentence(match) else "")


def _half_day(match: Match) -> str:
    goes_on = _NO_BREAK_AFTER_HALF.match(match.string, match.end())
    ends = not goes_on and ends_sentence(match, at_any_capital=True)
    return f"{match[1].upper()}M" + ("." if ends else "")


def _dotted(match: Match) -> str:
    """U.S.A. -> USA, Ph.D. -> PhD."""
    return match[0].replace(".", "").replace(" ", "") + (
        "." if match[0][-1] == "." and ends_sentence(match) else ""
    )


def _initial(match: Match) -> str:
    """The J of J. R. R. Tolkien, but not the B of "plan B. Then" nor the C of "seat C. Boarding"."""
    following = re.match(r"\w+", match.string[match.end() : match.end() + 20])
    opens = following and following[0] in STARTERS and len(following[0]) > 1
    names = _BEFORE_INITIAL.search(match.string[max(0, match.start() - 20) : match.start()])
    return match[1] + " " if names and not opens else match[0]


RULES: tuple[Rule, ...] = (
    # British: "w/c 5 May", "w/e 12 June".
    (
        re.compile(r"\bw/([ce])(?=\s(?:\d{1,2}|[A-Z][a-z]+\s\d))"),
        lambda m: f"week {'commencing' if m[1] == 'c' else 'ending'}",
    ),
    (
        re.compile(rf"(?<![\w/])({_either(_SLASHED)})(?![/])(?:(?<=/)|(?!\w))", re.IGNORECASE),
        _slashed,
    ),
    (re.compile(r"\b([AaPp])\.\s?[Mm]\.(?=(?i:[ecmp][sd]?t|gmt|utc)\b)"), lambda m: f"{m[1].upper()}M "),
    (re.compile(r"\b([AaPp])\.[Mm]\.(?=[a-z]{2})"), lambda m: f"{m[1].upper()}M "),
    (re.compile(rf"\b([AaPp])\.[Mm]\.(?=(?:{_STARTING})\b)"), lambda m: f"{m[1].upper()}M. "),
    (re.compile(r"\b([AaPp])\.\s?[Mm]\.(?!\w)"), _half_day),
    (re.compile(r"\best\.\s(?=\d)"), _estimated),
    (
        re.compile(r"\b([Ee])st\.\s?(?=(?:in|since|circa)\s(?:1\d{3}|20\d\d)\b)"),
        lambda m: f"{m[1]}stablished ",
    ),
    (re.compile(r"\b[cC]\.\s?(?=\d{1,2}(?:st|nd|rd|th)[\s-][Cc]entur)"), lambda _: "circa "),
    (re.compile(r"\b([Rr])ef\.\s(?=\d|[Nn]o\b|#)"), lambda m: f"{m[1]}eference "),
    (
        re.compile(r"(\A|[(,;]\s?|\b(?:see|under|in|of|and|per|by|to|with|from)\s)art\.\s?(?=\d)"),
        lambda m: f"{m[1]}article ",
    ),
    # Minutes follow their number.
    (
        re.compile(r"(\A|[(,;:]\s?|\b(?:of|a|the|with)\s)([Mm])in\.\s(?=\d)"),
        lambda m: f"{m[1]}{m[2]}inimum ",
    ),
    (re.compile(r"\bEst\.\s(?=1\d{3}\b|20\d\d\b)"), lambda _: "Established "),
    (re.compile(rf"\b({_either(_COUNTED)})\.\s?(?=\d)"), _counted),
    (
        re.compile(
            r"\b(VAT|[Tt]ax|[Rr]eg(?:istration)?|[Aa]ccount|[Ss]erial|[Pp]art|[Mm]odel|[Oo]rder|[Pp]hone|[Tt]el|[Ff]ax"
            r"|[Ll]icen[cs]e|[Pp]assport|[Pp]olicy|[Cc]ase|[Dd]ocket|[Ii]nvoice|[Cc]ertificate)\s[Nn]o\.(?=\s?:|\s[A-Z]+\d|\s#)"
        ),
        lambda m: f"{m[1]} number",
    ),
    (
        re.compile(r"\b([Vv]ol|[Cc]h|[Cc]hap|[Bb]k|Pt|[Ff]ig|Art|Sec|Tab|App)\.\s(?=[IVXL]{1,7}(?![\w'.]))"),
        lambda m: _COUNTED[m[1]] + " ",
    ),
    (re.compile(r"\bed\.(?=\sby\b)"), lambda _: "edited"),
    (re.compile(r"\bRt\.?\sHon\b\.?"), lambda _: "Right Honorable"),
    (re.compile(r"\bRt\.?\sRev\b\.?"), lambda _: "Right Reverend"),
    (re.compile(r"\bRev\.\s(?=[A-Z](?![\w.]))"), lambda _: "Revision "),
    (re.compile(r"(?<=[A-Za-z.,] )v\.(?=\s[A-Z][a-z])"), lambda _: "versus"),
    (re.compile(r"\bw\.r\.t\.(?!\w)"), lambda _: "with respect to"),
    (re.compile(r"(?<=\d(?:st|nd|rd|th) )edn?\.(?!\w)"), lambda m: "edition" + ("." if ends_sentence(m) else "")),
    (
        re.compile(r"\b(\d{1,2}(?:st|nd|rd|th))\s[cC]\.(?=\s|\Z|,|;)"),
        lambda m: f"{m[1]} century" + ("." if ends_sentence(m) else ""),
    ),
    (
        re.compile(r"\b([IVX]{1,5})\s[cC]\.(?=\s|\Z|,|;)"),
        lambda m: f"{m[1]} century" + ("." if ends_sentence(m) else ""),
    ),
    (re.compile(r"(?<=\d(?:st|nd|rd|th) )fl\.(?!\w)"), lambda m: "floor" + ("." if ends_sentence(m) else "")),
    (re.compile(r"\b(Messrs|Drs|Sts)\.?(?=\s[A-Z])"), lambda m: _WORDS[m[1]]),
    (re.compile(r"\b(St|Dr)\b(\.?)"), _street_or_title),
    (re.compile(rf"(?<=[A-Za-z\d] )\b({_CLEAR_STREETS})\b(\.|(?=[\s,]*(?:$|[A-Z\d,])))"), _street),
    (re.compile(rf"\b({_DOTLESS_TITLES})(?=\s[A-Z])"), lambda m: TITLES[m[1]]),
    (re.compile(r"\bGov\.(?=\s[a-z\d$£€])"), lambda _: "Government"),
    (re.compile(rf"\b({_either(TITLES)})\.(?=\s?[A-Z])"), lambda m: TITLES[m[1]] + " "),
    (re.compile(r"\b(Mr|Mrs|Ms|Prof)\."), lambda m: TITLES[m[1]]),
    (re.compile(r"(?<![\w.])(e\.g|i\.e)\.(?=[A-Za-z])"), lambda m: _WORDS[m[1]] + " "),
    (re.compile(rf"(?<![\w.])({_either(_WORDS)})\.(?!\w)"), _word),
    (re.compile(r"(?<![\w.])(E\.g|I\.e|Etc|Approx|Vs|Temp|Avg|Incl|Excl|Misc|Esp)\.(?!\w)"), _word),
    (re.compile(r"\bvs\b"), lambda _: "versus"),
    (re.compile(r"\b(?:Ph\.\s?D|M\.?Sc|B\.?Sc|Ed\.D|Esq)\."), _dotted),
    # A space was forgotten: "It is big.U.K. laws", "U.S.government".
    (re.compile(r"(?<=[a-z]{2}\.)(?=(?:[A-Z]\.){2})"), lambda _: " "),
    (re.compile(rf"(?<![\w.])(?:[A-Z]\.){{2,}}(?=(?:{_STARTING})\b)"), lambda m: m[0].replace(".", "") + ". "),
    (re.compile(r"(?<![\w.])(?:[A-Z]\.){2,}+(?=[a-z]{2})"), lambda m: m[0].replace(".", "") + " "),
    (re.compile(r"(?<![\w.])(?:[A-Z]\.){2,}(?![a-z])|(?<![\w.])(?:[a-z]\.){2,}(?!\w)"), _dotted),
    (re.compile(r"(?<![\w.'])(?!I\.)([A-Z])\.\s?(?=[A-Z][\w.'])"), _initial),
)
