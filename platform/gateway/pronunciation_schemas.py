"""The requests for pronunciation dictionaries, typed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from gateway.schemas import Schema
from inference.speech.lexicons import MOST_PRIORITY
from inference.speech.pronunciation import MAX_CHARACTERS, MAX_RULES

MAX_LEXICON_CHARACTERS = 524_288
Written = Annotated[
    str, StringConstraints(min_length=1, max_length=MAX_CHARACTERS, strip_whitespace=True, pattern=r"^[^\x00]*$")
]
DictionaryName = Annotated[
    str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True, pattern=r"^[^\x00]*$")
]


class RuleBody(Schema):
    grapheme: Written
    """What is written."""
    say: Written | None = None
    """How it is said, as it would be spelled: `win` for `Nguyen`."""
    ipa: Written | None = None
    """How it is said, in the International Phonetic Alphabet. Voices that take no phonemes read what is
    written."""
    case_sensitive: bool | None = None
    """Whether capitals count; by default they do not."""
    whole_word: bool | None = None
    """Whether it must stand as a word of its own, which is the default; at most 100 rules may not."""
    priority: Annotated[int, Field(ge=-MOST_PRIORITY, le=MOST_PRIORITY)] | None = None
    """Where several rules fit, the highest priority wins, then the longest grapheme. By default 0."""


class _Rules(Schema):
    rules: Annotated[list[RuleBody], Field(max_length=MAX_RULES, fail_fast=True)] | None = None
    """The rules, at most 2,000."""
    data: Annotated[str, StringConstraints(max_length=MAX_LEXICON_CHARACTERS)] | None = None
    """A file of rules to import instead of `rules`."""
    data_format: Literal["csv", "pls"] | None = None
    """What `data` is: by default `csv`, a row `grapheme,say` for each rule or a first row that names the columns;
    `pls` is the W3C's Pronunciation Lexicon Specification."""
    default: bool | None = None
    """Whether the calling API key's requests that name no dictionary use this one."""


class NewPronunciation(_Rules):
    """The body of POST /v1/pronunciation_dictionaries."""

    name: DictionaryName
    """For people to know it by."""


class PronunciationChange(_Rules):
    """The body of POST /v1/pronunciation_dictionaries/{dictionary_id}. Rules that are given replace all others, as
    a new version."""

    name: DictionaryName | None = None
    """For people to know it by."""


class PronunciationQuery(BaseModel):
    """The query string of GET /v1/pronunciation_dictionaries/{dictionary_id}."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    version: Annotated[int, Field(ge=1, le=2_147_483_647)] | None = None
    """The number of a version; by default the newest one. The last 50 are kept."""
