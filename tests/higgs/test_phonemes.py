"""Prompts of phonemes, and what a checkpoint says of its voices."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("hibari", reason="the pronunciations are an extra: pip install -e .[voice]")

from inference.engines.higgs.script import Script
from inference.engines.higgs.speakers import Speaker, speakers_of
from inference.engines.protocol import EngineError, Segment, SpeechRequest, Turn, Unspeakable
from inference.higgs.codec_stream import Rendering
from inference.higgs.config import ConfigError
from inference.higgs.frontend import load_prompt_builder
from inference.higgs.phonemes import PhonemePromptBuilder
from inference.speech.pronunciation import GivenPhonemes
from inference.training.recipe import TINY
from inference.training.student import higgs_config, write_tokenizer

CONFIG = higgs_config(TINY)
VOICES = {"alloy": Speaker(""), "onyx": Speaker("", rendering=Rendering(pitch=0.5))}


@pytest.fixture
def builder(tmp_path: Path) -> PhonemePromptBuilder:
    write_tokenizer(tmp_path / "tokenizer.json")
    found = load_prompt_builder(tmp_path, CONFIG)
    assert isinstance(found, PhonemePromptBuilder)
    return found


def script(builder: PhonemePromptBuilder, *segments: tuple[str, str]) -> Script:
    request = SpeechRequest(id="job", segments=tuple(Segment(text, voice) for text, voice in segments))
    return Script(request, builder, VOICES, capacity=1024, books=CONFIG.num_codebooks)


def test_a_sentence_is_its_phonemes_and_nothing_else(builder: PhonemePromptBuilder) -> None:
    tokens = builder.question("Hello there.").tokens.tolist()
    assert tokens == builder.spell("həlˈO ðˈɛɹ.").tokens.tolist()
    assert len(tokens) == 3 + len("həlˈO ðˈɛɹ.")
    assert tokens[-1] == CONFIG.audio_out_bos_id


def test_a_sentence_does_not_know_of_the_one_before(builder: PhonemePromptBuilder) -> None:
    both, second = script(builder, ("One.", "alloy"), ("Two.", "onyx")), script(builder, ("Two.", "alloy"))
    both.ask(0)
    both.finish(0, np.zeros((9, CONFIG.num_codebooks), np.int16))
    prompt, _, stays = both.ask(1)
    assert prompt.tokens.tolist() == second.ask(0)[0].tokens.tolist()  # and no speaker's tag
    assert not stays
    assert [rendering.pitch for rendering in both.renderings] == [1.0, 0.5]


def test_what_cannot_be_pronounced_is_refused_by_name(builder: PhonemePromptBuilder) -> None:
    with pytest.raises(EngineError, match="pronounced"):
        script(builder, ("…", "alloy"), ("。", "alloy"))


def test_another_script_is_refused_before_any_audio(builder: PhonemePromptBuilder) -> None:
    with pytest.raises(Unspeakable, match="2 letters of other scripts") as refusal:
        script(builder, ("Hello.", "alloy"), ("你好 hello.", "alloy"))
    assert refusal.value.code == "unsupported_text"


def test_the_refusal_counts_the_letters_of_the_whole_request(builder: PhonemePromptBuilder) -> None:
    with pytest.raises(Unspeakable, match="4 letters of other scripts"):
        script(builder, ("你好.", "alloy"), ("Hello.", "alloy"), ("再见.", "alloy"))


def test_an_earlier_turn_in_another_script_does_not_break_the_request(builder: PhonemePromptBuilder) -> None:
    spoken = np.zeros((9, CONFIG.num_codebooks), np.int16)
    request = SpeechRequest(
        id="job", segments=(Segment("Hello.", "alloy"),), context=(Turn("你好.", "alloy", spoken),)
    )
    made = Script(request, builder, VOICES, capacity=1024, books=CONFIG.num_codebooks)
    assert made.ask(0)[0].tokens.tolist() == builder.question("Hello.").tokens.tolist()


def test_brackets_of_a_customer_are_no_pronunciation(builder: PhonemePromptBuilder) -> None:
    tricked = builder.question("[Hello](/kat/) there.").tokens.tolist()
    assert tricked != builder.spell("kat ðˈɛɹ.").tokens.tolist()
    assert builder.question("[Hello] there.").tokens.tolist() == builder.question("Hello there.").tokens.tolist()


def given(text: str, word: str, ipa: str) -> GivenPhonemes:
    return GivenPhonemes(text.index(word), text.index(word) + len(word), ipa)


def test_given_phonemes_are_said_in_place_of_what_is_written(builder: PhonemePromptBuilder) -> None:
    text, other = "Ask O’Hara, “Zoë Xu” or No. 5.", "Ask Jones, “Kate Hill” or No. 5."
    said = (given(text, "O’Hara", "ˈdʒoʊnz"), given(text, "Zoë Xu", "keɪt ˈhɪl"))
    assert builder.question(text, said).tokens.tolist() == builder.question(other).tokens.tolist()
    ask, jones, kate, hill, *rest = builder.words(other)
    assert builder.words(text, said) == (
        ask,
        replace(jones, text="O’Hara"),
        replace(kate, text="Zoë Xu", end=hill.end),
        *rest,
    )


def test_phonemes_without_a_sound_leave_the_word_as_it_is_written(builder: PhonemePromptBuilder) -> None:
    text = "Ask Smith."
    asked = builder.question(text, (given(text, "Smith", "ˈ.7)/]"),))
    assert asked.tokens.tolist() == builder.question(text).tokens.tolist()


def test_a_script_asks_with_the_phonemes_of_each_segment(builder: PhonemePromptBuilder) -> None:
    texts = ("Ask Smith.", "Call Smith.")
    segments = tuple(Segment(text, "alloy", (given(text, "Smith", "ˈdʒoʊnz"),)) for text in texts)
    made = Script(SpeechRequest(id="job", segments=segments), builder, VOICES, capacity=1024, books=12)
    plainly = script(builder, ("Ask Jones.", "alloy"), ("Call Jones.", "alloy"))
    for sentence in (0, 1):
        assert made.ask(sentence)[0].tokens.tolist() == plainly.ask(sentence)[0].tokens.tolist()
        assert [word.end for word in made.words[sentence]] == [word.end for word in plainly.words[sentence]]
        assert [word.text for word in made.words[sentence]] == [texts[sentence].split()[0], "Smith"]


def test_a_front_end_that_nobody_has_is_refused() -> None:
    with pytest.raises(ConfigError, match="text_frontend"):
        replace(CONFIG, text_frontend="runes")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "entry", [{"rendering": {"pitch": 0}}, {"rendering": {"tempo": 2}}, {"rendering": {"pitch": "high"}}, 3]
)
def test_a_voice_that_cannot_be_is_refused_by_name(tmp_path: Path, entry: object) -> None:
    (tmp_path / "voices.json").write_text(json.dumps({"alloy": {}, "bad": entry}))
    with pytest.raises(ConfigError, match="'bad'"):
        speakers_of(tmp_path)
