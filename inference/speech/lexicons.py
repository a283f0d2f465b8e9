"""Pronunciation rules from files: CSV, and the W3C's Pronunciation Lexicon Specification
(https://www.w3.org/TR/pronunciation-lexicon/).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from inference.speech.pronunciation import MAX_CHARACTERS, MAX_RULES, PronunciationRule

COLUMNS = ("grapheme", "say", "ipa", "case_sensitive", "whole_word", "priority")
_TRUE, _FALSE = ("1", "true", "yes"), ("0", "false", "no")
MOST_PRIORITY = 1_000


class LexiconError(ValueError):
    """The file has no rules that can be read; the message says where and why."""


def from_csv(text: str) -> list[PronunciationRule]:
    """Rules of a table, a row each: `grapheme,say`, or any of `COLUMNS` where the first row names them.

    Raises:
        LexiconError: a row is none.
    """
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    columns: list[str] | None = None
    rules: list[PronunciationRule] = []
    try:
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            cells = [cell.strip() for cell in row]
            if columns is None:
                columns = [cell.lower() for cell in cells]
                if "grapheme" in columns:
                    if unknown := set(columns) - set(COLUMNS):
                        raise LexiconError(f"line 1: unknown column {min(unknown)[:40]!r}")
                    continue
                columns = ["grapheme", "say"]
            if len(cells) > len(columns):
                raise LexiconError(f"line {rows.line_num}: {len(cells)} cells; at most {len(columns)}")
            given = dict(zip(columns, cells, strict=False))
            rules.append(_rule(given, f"line {rows.line_num}"))
            _check_count(rules)
    except csv.Error as error:
        raise LexiconError(f"line {rows.line_num}: {error}") from None
    return rules


def to_csv(rules: Sequence[PronunciationRule]) -> str:
    """A table that `from_csv` reads: the short one where the rules say no more than how words are spelled."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    if all(each == PronunciationRule(grapheme=each.grapheme, say=each.say) for each in rules):
        writer.writerows((each.grapheme, each.say) for each in rules)
        return file.getvalue()
    writer.writerow(COLUMNS)
    for each in rules:
        flags = (str(flag).lower() for flag in (each.case_sensitive, each.whole_word))
        writer.writerow((each.grapheme, each.say, each.ipa, *flags, each.priority))
    return file.getvalue()


def from_pls(text: str) -> list[PronunciationRule]:
    """The lexemes of a lexicon, which are case-sensitive as the specification has it; each grapheme is a rule.

    Raises:
        LexiconError: it is no lexicon, or a lexeme has neither an alias nor phonemes in IPA.
    """
    try:
        root = fromstring(text, forbid_dtd=True)
    except DefusedXmlException:
        raise LexiconError("it may have no document type and no entities") from None
    except (ParseError, ValueError) as error:
        raise LexiconError(f"it is not well-formed XML: {error}") from None
    if _name(root) != "lexicon":
        raise LexiconError(f"its root is <{_name(root)}>, not <lexicon>")
    rules: list[PronunciationRule] = []
    for number, lexeme in enumerate((each for each in root if _name(each) == "lexeme"), start=1):
        alias, phoneme = _first(lexeme, "alias"), _first(lexeme, "phoneme")
        alphabet = (
            root.get("alphabet", "ipa")
            if phoneme is None
            else phoneme.get("alphabet", root.get("alphabet", "ipa"))
        )
        said = {"say": _text(alias)} if alias is not None else {"ipa": _text(phoneme)}
        if alias is None and alphabet != "ipa":
            raise LexiconError(f"lexeme {number}: phonemes in {alphabet[:40]!r}; only IPA is read")
        for grapheme in (each for each in lexeme if _name(each) == "grapheme"):
            given = {"grapheme": _text(grapheme), "case_sensitive": "true", **said}
            rules.append(_rule(given, f"lexeme {number}"))
            _check_count(rules)
    return rules


def _rule(given: dict[str, str], place: str) -> PronunciationRule:
    grapheme, say, ipa = (given.get(name, "") for name in ("grapheme", "say", "ipa"))
    if not grapheme or bool(say) == bool(ipa):
        raise LexiconError(f"{place}: needs a grapheme, and either how to say it or its IPA")
    if longest := next(
        (name for name in ("grapheme", "say", "ipa") if len(given.get(name, "")) > MAX_CHARACTERS), ""
    ):
        raise LexiconError(f"{place}: {longest} is longer than {MAX_CHARACTERS} characters")
    return PronunciationRule(
        grapheme=grapheme,
        say=say,
        ipa=ipa,
        case_sensitive=_flag(given.get("case_sensitive", ""), place, default=False),
        whole_word=_flag(given.get("whole_word", ""), place, default=True),
        priority=_priority(given.get("priority", ""), place),
    )


def _flag(cell: str, place: str, *, default: bool) -> bool:
    if not cell:
        return default
    if cell.lower() not in (*_TRUE, *_FALSE):
        raise LexiconError(f"{place}: {cell[:40]!r} is neither true nor false")
    return cell.lower() in _TRUE


def _priority(cell: str, place: str) -> int:
    try:
        priority = int(cell or "0") if len(cell) < 10 else MOST_PRIORITY + 1
    except ValueError:
        raise LexiconError(f"{place}: the priority {cell[:40]!r} is no number") from None
    if abs(priority) > MOST_PRIORITY:
        raise LexiconError(f"{place}: a priority is from -{MOST_PRIORITY} to {MOST_PRIORITY}")
    return priority


def _check_count(rules: list[PronunciationRule]) -> None:
    if len(rules) > MAX_RULES:
        raise LexiconError(f"it has more than {MAX_RULES} rules")


def _first(lexeme: Element, name: str) -> Element | None:
    return next((each for each in lexeme if _name(each) == name), None)


def _text(element: Element | None) -> str:
    return "" if element is None else " ".join("".join(element.itertext()).split())


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]
