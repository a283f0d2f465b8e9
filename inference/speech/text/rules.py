"""What a rule is, and the few questions about a match's surroundings that several families ask."""

import re
from collections.abc import Callable, Iterable

from inference.speech.tracing import SourceTrace, substitute

Match = re.Match[str]
Rule = tuple[re.Pattern[str], Callable[[Match], str]]

#: Words that open a sentence far more often than they continue a name after an abbreviation.
STARTERS = {
    "A", "After", "Although", "Also", "An", "And", "Are", "As", "At", "Because", "Before", "Both", "But",
    "By", "Can", "Did", "Do", "Does", "Each", "Finally", "For", "From", "He", "Her", "His", "How",
    "However", "I", "If", "In", "Is", "It", "Its", "Later", "Let", "Many", "Meanwhile", "Most", "My",
    "Next", "Not", "Now", "On", "Once", "One", "Or", "Our", "Please", "See", "She", "Since", "So", "Some",
    "That", "The", "Their", "Then", "There", "These", "They", "This", "Those", "To", "Today", "We", "What",
    "When", "Where", "Which", "While", "Who", "Why", "Will", "With", "Would", "Yes", "You", "Your",
}  # fmt: skip

DETERMINER = re.compile(r"\b(?:an?|the|this|that|my|your|our|his|her|its|their|each|every)\s\Z", re.IGNORECASE)
_NOUN = re.compile(
    r"[ -](?!(?:a|above|across|ago|along|an|and|apart|are|around|as|at|away|be|before|behind|below|between|beyond"
    r"|after|but|by|can|deep|down|each|for|from|had|has|have|high|if|in|inside|into|is|it|later|less|long|minus"
    r"|more|of|off|on|or|out|outside|over|per|plus|so|tall|than|that|the|then|thick|through|times|to|under|up"
    r"|was|we|were|when|which|wide|will|with|within|without|would|x|you)\b)[a-z]",
    re.IGNORECASE,
)
#: What a measure describes even without an article: "100m sprint", "$1.5M deal", "50mm lens".
MEASURED_NOUN = re.compile(
    r"\s(?:sprint|race|dash|run|walk|hike|swim|drive|ride|lens|bulb|lamp|light|oven|angle|turn|delay|timeout|deal|bill"
    r"|note|coin|fee|fine|loan|grant|prize|budget|contract|investment|ticket|voucher|deposit|discount|battery|charger"
    r"|adapter|cable|hose|pipe|fence|wall|pool|radius|diameter|gap|hole|screen|monitor|display|tv|TV|barrel|round|gun"
    r"|pistol|film|camera|engine|motor|amp|speaker|speakers|bag|bottle|jar|can|glass|box|pack|tank|plate|weight|dumbbell"
    r"|limit|zone|tower|building|ship|boat|yacht|truck|mesh|thread|socket|wrench|nail|board|plank|mortgage|jackpot"
    r"|salary|bonus|house|home|mansion|car|watch|gift|donation|reward|raise|phone|laptop|meal|check|cheque|penalty"
    r"|settlement|lawsuit|valuation|startup|company|acquisition|investor|range|timer|countdown|clip|ad"
    r"|plan|drive|card|disk|file|download|upload|partition|dataset|image|stick|subscription|membership|purchase"
    r"|minimum|credit|charge|order|tip|entry|stake|stamp|wager|barbell|backpack|tent|mattress|sofa|rug|rope|tape"
    r"|tablet|pill|capsule|ladder|microwave|flight|class|service|pencil|iPhone|video|session|meeting|shift|workout|trip"
    r"|warranty|lease|market|fuse|breaker|circuit|current|socket|plug|supply|wire|break|nap|rest|lecture|presentation|commute|interview|exam|test|quiz|lesson|segment|interval|hurdle|relay|freestyle"
    r"|butterfly|backstroke|breaststroke|steeplechase|bucket|tub|latency|lag|steak|burger|egg|tour|SSD|HDD|key|rod|line"
    r"|drill|blade|chain|stretch|jog|dog|man|woman|baby|boy|girl|fish|lot|read)s?\b"
)
# "A 5 mm thick layer", but not "a wall 5 mm thick".
_DIMENSION = re.compile(
    r"\s(?:wide|thick|tall|long|deep|high)\s(?!(?:and|or|at|in|on|by|x|with|for|from|to|is|was|but|when|if)\b)[a-z]"
)
_NEXT_WORD = re.compile(r"[\"')\]]*\s+[\"'(\[]*(\w+)")
_END = re.compile(r"[\"')\]\s]*\Z")


def apply(rules: Iterable[Rule], text: str, trace: SourceTrace | None = None) -> str:
    """Apply the rules in order, keeping what is said apart from the words it touches."""
    for pattern, say in rules:
        text = substitute(pattern, _apart(say), text, trace)
    return text


def _apart(say: Callable[[Match], str]) -> Callable[[Match], str]:
    def said(match: Match) -> str:
        words = say(match)
        if not words or words == match[0]:
            return words
        # A slice, as there is nothing before the start.
        touched = match.string[max(0, match.start() - 1) : match.start()].isalnum()
        touches = match.string[match.end() : match.end() + 1].isalnum()
        before = " " if touched and words[0].isalnum() else ""
        return before + words + (" " if touches and words[-1].isalnum() else "")

    return said


def describes(match: Match) -> bool:
    """Whether a quantity stands before a noun, as in "a 5 km run", and so takes a singular unit."""
    before = match.string[max(0, match.start() - 7) : match.start()]
    return bool(DETERMINER.search(before)) and (
        before_noun(match) or bool(_DIMENSION.match(match.string, match.end()))
    )


def before_noun(match: Match) -> bool:
    """Whether what follows may be a noun: any word but those that never are."""
    return bool(_NOUN.match(match.string, match.end()))


def ends_sentence(match: Match, *, at_any_capital: bool = False) -> bool:
    """Whether the full stop of the abbreviation just matched also ends the sentence."""
    if _END.match(match.string, match.end()):
        return True
    following = _NEXT_WORD.match(match.string, match.end())
    if not following:
        return False
    return following[1] in STARTERS or (at_any_capital and following[1][0].isupper())
