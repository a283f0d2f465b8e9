"""Names said right: dictionaries, marks in the text, and SSML, through the public API."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from django.db import transaction
from django.utils import timezone

from accounts.identifiers import new_id
from gateway.routes import document
from inference import pronunciations
from inference.models import PronunciationDictionary, SynthesisJob
from tests.conftest import Customer
from tests.gateway.speaking import decode, transcript_of
from tests.live import Service

RULES = [{"grapheme": "Nguyen", "say": "win"}]


def api(service: Service, who: Customer, method: str, path: str = "", **options: Any) -> httpx.Response:
    url = f"{service.url}/v1/pronunciation_dictionaries{path}"
    return httpx.request(method, url, headers=who.headers, timeout=30, **options)


def made(service: Service, who: Customer, rules: Any = None, **members: Any) -> dict[str, Any]:
    body = {"name": "Ours", "rules": RULES if rules is None else rules, **members}
    answer = api(service, who, "POST", json={name: value for name, value in body.items() if value is not None})
    assert answer.status_code == 200, answer.text
    created: dict[str, Any] = answer.json()
    return created


def say(service: Service, who: Customer, text: str, **members: Any) -> httpx.Response:
    body = {"model": "tts-1", "input": text, "response_format": "wav", **members}
    return httpx.post(f"{service.url}/v1/audio/speech", json=body, headers=who.headers, timeout=30)


def said(service: Service, who: Customer, text: str, **members: Any) -> str:
    """What was spoken."""
    answer = say(service, who, text, **members)
    assert answer.status_code == 200, answer.text
    return transcript_of(answer.headers["x-audio-id"])


@pytest.mark.parametrize(
    ("rule", "text", "spoken"),
    [
        ({"grapheme": "Nguyen", "say": "win"}, "Dr. nguyen, Nguyens.", "Doctor win, Nguyens."),
        ({"grapheme": "AI", "say": "robots", "case_sensitive": True}, "AI or ai.", "robots or ai."),
        ({"grapheme": "GmbH", "say": "limited", "whole_word": False}, "XGmbH.", "Xlimited."),
        ({"grapheme": "C++", "say": "see plus plus"}, "I like C++, too.", "I like see plus plus, too."),
        ({"grapheme": "New York", "say": "the city"}, "In new york now.", "In the city now."),
    ],
)
def test_a_rule_holds_where_it_fits(
    service: Service, customer: Customer, rule: dict[str, Any], text: str, spoken: str
) -> None:
    dictionary = made(service, customer, [rule])
    assert said(service, customer, text, pronunciation=dictionary["id"]) == spoken
    assert said(service, customer, text) != spoken


def test_the_highest_priority_then_the_longest_wins(service: Service, customer: Customer) -> None:
    rules = [
        {"grapheme": "New", "say": "old"},
        {"grapheme": "New York", "say": "the city"},
        {"grapheme": "York", "say": "fork", "priority": 9},
        {"grapheme": "New Delhi", "say": "the capital"},
        {"grapheme": "New", "say": "young", "priority": 5},
    ]
    dictionary = made(service, customer, rules)
    assert said(service, customer, "New York.", pronunciation=dictionary["id"]) == "young fork."
    assert said(service, customer, "New York.", pronunciation=made(service, customer, rules[:3])["id"]) == (
        "the city."
    )


def test_phonemes_change_the_sound_and_not_the_transcript(service: Service, customer: Customer) -> None:
    text = "I like tomato soup."
    dictionary = made(service, customer, [{"grapheme": "tomato", "ipa": "pəˈteɪtoʊ"}])
    plain, other = say(service, customer, text), say(service, customer, text, pronunciation=dictionary["id"])
    inline = say(service, customer, "I like [tomato](ipa:pəˈteɪtoʊ) soup.")
    assert transcript_of(other.headers["x-audio-id"]) == text
    assert plain.content != other.content == inline.content


def test_a_change_is_a_version_and_both_can_be_used(service: Service, customer: Customer) -> None:
    first = made(service, customer)
    assert (first["version"], first["rules"][0]["say"]) == (1, "win")
    changed = api(
        service, customer, "POST", f"/{first['id']}", json={"rules": [{"grapheme": "Nguyen", "say": "no"}]}
    )
    assert changed.json()["version"] == 2
    assert said(service, customer, "Nguyen.", pronunciation=first["id"]) == "no."
    assert said(service, customer, "Nguyen.", pronunciation=f"{first['id']}:1") == "win."
    assert api(service, customer, "GET", f"/{first['id']}?version=1").json()["rules"] == first["rules"]
    renamed = api(service, customer, "POST", f"/{first['id']}", json={"name": "Theirs"}).json()
    assert (renamed["name"], renamed["version"]) == ("Theirs", 2)
    [listed] = api(service, customer, "GET").json()["data"]
    assert (listed["id"], listed["version"], listed["rule_count"]) == (first["id"], 2, 1)
    assert api(service, customer, "DELETE", f"/{first['id']}").json()["deleted"] is True
    assert api(service, customer, "GET").json()["data"] == []
    answer = say(service, customer, "Nguyen.", pronunciation=first["id"])
    assert (answer.status_code, answer.json()["error"]["param"]) == (404, "pronunciation")


def test_a_key_has_a_default(service: Service, customer: Customer) -> None:
    dictionary = made(service, customer, default=True)
    assert dictionary["default"] is True
    time.sleep(1)  # a gateway believes a key's settings for less than that
    assert said(service, customer, "Nguyen.") == "win."
    assert said(service, customer, "Nguyen.", pronunciation="none") == "Nguyen."
    api(service, customer, "POST", f"/{dictionary['id']}", json={"default": False})
    time.sleep(1)
    assert said(service, customer, "Nguyen.") == "Nguyen."


def test_long_respellings_have_room(service: Service, customer: Customer) -> None:
    dictionary = made(service, customer, [{"grapheme": "X", "say": "a very long name indeed " * 4}])
    answer = say(service, customer, "X X X X X X.", pronunciation=dictionary["id"])
    assert answer.status_code == 200
    assert SynthesisJob.objects.get(id=answer.headers["x-audio-id"].removeprefix("audio_")).finish_reason == "stop"
    assert len(decode(answer.content)[0]) > 20 * 24_000


PLS = """<?xml version="1.0" encoding="UTF-8"?>
<lexicon version="1.0" xmlns="http://www.w3.org/2005/01/pronunciation-lexicon" alphabet="ipa" xml:lang="en-US">
  <lexeme><grapheme>W3C</grapheme><grapheme>WWWC</grapheme><alias>World Wide Web Consortium</alias></lexeme>
  <lexeme><grapheme>Newton</grapheme><phoneme>ˈnjuːtən</phoneme></lexeme>
</lexicon>"""


@pytest.mark.parametrize(
    ("data_format", "data", "expected"),
    [
        ("csv", "Nguyen,win\nSiobhan,shi vawn\n", [("Nguyen", "win", ""), ("Siobhan", "shi vawn", "")]),
        ("csv", "\ufeffgrapheme,ipa,priority\n\"a, b\",wɪn,3\n", [("a, b", "", "wɪn")]),
        ("pls", PLS, [("W3C", "World Wide Web Consortium", ""), ("WWWC", "World Wide Web Consortium", ""),
                      ("Newton", "", "ˈnjuːtən")]),
    ],
)  # fmt: skip
def test_files_are_imported(
    service: Service, customer: Customer, data_format: str, data: str, expected: list[tuple[str, str, str]]
) -> None:
    body = {"name": "File", "data": data, "data_format": data_format}
    answer = api(service, customer, "POST", json=body).json()
    assert [(each["grapheme"], each["say"], each["ipa"]) for each in answer["rules"]] == expected


BOMB = '<!DOCTYPE lexicon [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><lexicon><lexeme>&b;</lexeme></lexicon>'


@pytest.mark.parametrize(
    ("members", "param", "part"),
    [
        ({"rules": [{"grapheme": "x"}]}, "rules[0]", "either 'say' or 'ipa'"),
        ({"rules": [{"grapheme": "x", "say": "y", "ipa": "z"}]}, "rules[0]", "either"),
        ({"rules": [{"grapheme": "", "say": "y"}]}, "rules[0].grapheme", ""),
        ({"rules": [{"grapheme": "x", "say": "y" * 101}]}, "rules[0].say", ""),
        ({"rules": [{"grapheme": "x", "say": "y", "whole_word": False}] * 101}, "rules", "at most 100"),
        ({"rules": [{"grapheme": "x", "say": "y"}] * 2001}, "rules", "2000"),
        ({"data": "Nguyen"}, "data", "line 1"),
        ({"data": "grapheme,say\na,b\nc,d,e\n"}, "data", "line 3"),
        ({"data": BOMB, "data_format": "pls"}, "data", "no entities"),
        ({"data": "<lexicon>", "data_format": "pls"}, "data", "not well-formed"),
        ({"rules": [], "data": "a,b"}, "data", "not both"),
        ({"rules": [], "name": ""}, "name", ""),
        ({"rules": [], "nme": "x"}, "nme", ""),
    ],
)
def test_what_is_wrong_is_named(
    service: Service, customer: Customer, members: dict[str, Any], param: str, part: str
) -> None:
    answer = api(service, customer, "POST", json={"name": "Ours", **members})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param), answer.text
    assert part in answer.json()["error"]["message"]
    assert not PronunciationDictionary.objects.filter(organization=customer.organization).exists()


def test_nobody_speaks_by_anothers_dictionary(
    service: Service, customer: Customer, new_customer: Callable[..., Customer]
) -> None:
    dictionary, stranger = made(service, customer), new_customer()
    for name in (dictionary["id"], f"{dictionary['id']}:1", "pd_" + "0" * 32, "pd_x", f"{dictionary['id']}:x"):
        answer = say(service, stranger, "Nguyen.", pronunciation=name)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "pronunciation_not_found")
    for method in ("GET", "POST", "DELETE"):
        assert api(service, stranger, method, f"/{dictionary['id']}").status_code == 404
    assert api(service, stranger, "GET").json()["data"] == []
    assert api(service, customer, "GET", f"/{dictionary['id']}").json() == dictionary


def test_dictionaries_go_with_the_organization(service: Service, customer: Customer) -> None:
    from gateway import erasure

    made(service, customer)
    erasure.delete_organization(customer.organization.id, by=None)
    assert not PronunciationDictionary.objects.filter(organization=customer.organization).exists()


# --- Marks and SSML ---


def test_a_mark_is_said_as_it_asks_and_a_link_as_before(service: Service, customer: Customer) -> None:
    assert said(service, customer, "Dr. [Nguyen](say:win) is here.") == "Doctor win is here."
    assert said(service, customer, "See [this](https://a.example).") == "See this."


def test_marked_words_keep_their_place_in_the_given_text(service: Service, customer: Customer) -> None:
    text = "Dr. [Nguyen](say:win) paid $5. [](pause:1500) Then AI left."
    dictionary = made(service, customer, [{"grapheme": "AI", "say": "the artificial one"}])
    answer = say(service, customer, text, timestamps="word", pronunciation=dictionary["id"])
    url = f"{service.url}/v1/audio/{answer.headers['x-audio-id']}/captions.json"
    words = httpx.get(url, headers=customer.headers).json()["words"]
    assert [each["word"] for each in words] == ["Dr.", "Nguyen", "paid", "$5.", "Then", "AI", "left."]
    assert all(text[each["offset"] :].startswith(each["word"]) for each in words)
    assert words[4]["start"] - words[3]["end"] > 1.4


SSML = (
    '<?xml version="1.0"?><speak version="1.1" xmlns="http://www.w3.org/2001/10/synthesis"><p><s>The '
    '<sub alias="World Wide Web">WWW</sub> &amp; <say-as interpret-as="characters">NATO</say-as> too</s></p>'
    '<s>Room <say-as interpret-as="digits">204</say-as> on the <say-as interpret-as="ordinal">3</say-as> floor</s>'
    '<emphasis>Now</emphasis> <prosody rate="slow" pitch="high">slowly</prosody></speak>'
)


def test_ssml_is_spoken_and_what_is_ignored_is_named(service: Service, customer: Customer) -> None:
    answer = say(service, customer, SSML, input_type="ssml")
    assert answer.status_code == 200, answer.text
    assert transcript_of(answer.headers["x-audio-id"]) == (
        "The World Wide Web and N A T O too. Room two zero four on the third floor. Now slowly"
    )
    assert answer.headers["x-speech-warnings"] == "ignored: emphasis, prosody pitch"
    assert "x-speech-warnings" not in say(service, customer, "<speak>Hi.</speak>", input_type="ssml").headers


def seconds(service: Service, customer: Customer, document: str) -> float:
    answer = say(service, customer, document, input_type="ssml")
    assert answer.status_code == 200, answer.text
    return len(decode(answer.content)[0]) / 24_000


def test_breaks_and_rates_are_heard(service: Service, customer: Customer) -> None:
    plain = seconds(service, customer, "One day it rained. Then it stopped.")
    paused = seconds(service, customer, 'One day it rained. <break time="2.35s"/> Then it stopped.')
    assert paused - plain == pytest.approx(2.0, abs=0.1), "2.35 s in place of the usual 0.35 s"
    slow = seconds(service, customer, '<prosody rate="50%">One day it rained. Then it stopped.</prosody>')
    assert slow == pytest.approx(2 * plain, rel=0.05)
    half = seconds(service, customer, 'One day it rained. <prosody rate="x-slow">Then it stopped.</prosody>')
    assert 1.2 * plain < half < 0.9 * slow


@pytest.mark.parametrize(
    "document",
    [
        "<speak>Hello",
        '<!DOCTYPE speak [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><speak>&b;</speak>',
        '<?xml version="1.0"?><!DOCTYPE s SYSTEM "file:///etc/passwd"><speak>Hi</speak>',
        "<speak>" + "<p>" * 40 + "Hi" + "</p>" * 40 + "</speak>",
        "<speak>" + "a " * 9_000 + "</speak>",
    ],
)
def test_what_is_no_ssml_is_refused(service: Service, customer: Customer, document: str) -> None:
    answer = say(service, customer, document, input_type="ssml")
    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["code"]) == (400, "input", "invalid_ssml")


def test_the_new_members_are_explained() -> None:
    for name in ("RuleBody", "NewPronunciation", "PronunciationChange"):
        members = document()["components"]["schemas"][name]["properties"]
        assert [member for member, schema in members.items() if not schema.get("description")] == []


def test_two_at_once_make_no_more_dictionaries_than_the_most(service: Service, customer: Customer) -> None:
    PronunciationDictionary.objects.bulk_create(
        PronunciationDictionary(
            id=new_id(), organization=customer.organization, name="Ours", created_at=timezone.now()
        )
        for _ in range(pronunciations.MOST_DICTIONARIES - 1)
    )
    with ThreadPoolExecutor(1) as thread:
        with transaction.atomic():
            pronunciations.create(organization_id=customer.organization.id, name="The last", rules=[])
            second = thread.submit(api, service, customer, "POST", json={"name": "One more"})
            time.sleep(0.5)  # it would be counted meanwhile, if it did not wait for the first
        answer = second.result()
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "too_many_dictionaries")
