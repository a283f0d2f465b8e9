"""From verdicts on sentences to figures, with 95 % intervals by bootstrap over the sentences.

A failure is a sentence that did not end by itself, or in which every recogniser hears words skipped, words said
twice, or most of them wrong. What only one of them hears may be its own mistake.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.training.errors import Errors, count_errors

Counts = NDArray[np.float64]
"""[sentences, 2]: words and word errors."""
RESAMPLES = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What the judges said of one utterance."""

    kind: str
    text: str
    heard: dict[str, str]
    """By recogniser."""
    mos: float
    """DistillMOS, from 1 to 5."""
    overall: float
    """DNSMOS, from 1 to 5."""
    ended: bool
    length: float
    """Seconds of audio."""

    def errors(self) -> dict[str, Errors]:
        return {name: count_errors(self.text, heard) for name, heard in self.heard.items()}


def summarize(judged: Sequence[Judged], *, against: Sequence[Judged] = ()) -> dict[str, float]:
    """Rates in percent: by recogniser, and of both together (`wer`).

    Args:
        against: the same for another system. Its rate is subtracted sentence by sentence, which says more than two
            intervals do, since what is hard to hear is hard in both.
    """
    if not judged:
        return {}
    errors = [line.errors() for line in judged]
    figures: dict[str, float] = {"sentences": float(len(judged))}
    together = np.zeros((len(judged), 2))
    for name in judged[0].heard:
        counts = np.array([[each[name].words, each[name].word_errors] for each in errors], float)
        together += counts
        low, high = _interval(counts)
        figures |= {f"wer {name}": _rate(counts), f"wer {name} low": low, f"wer {name} high": high}
        signs = np.array([[each[name].signs, each[name].sign_errors] for each in errors], float)
        figures[f"cer {name}"] = _rate(signs)
    low, high = _interval(together)
    figures |= {"wer": _rate(together), "wer low": low, "wer high": high}
    for kind in dict.fromkeys(line.kind for line in judged):
        rows = np.array([line.kind == kind for line in judged])
        figures[f"wer {kind}"] = _rate(together[rows])
    figures |= {
        "mos": float(np.mean([line.mos for line in judged])),
        "mos margin": 1.96 * float(np.std([line.mos for line in judged])) / len(judged) ** 0.5,
        "overall": float(np.mean([line.overall for line in judged])),
        "failures": float(sum(failed(line, each) for line, each in zip(judged, errors, strict=True))),
        "unended": float(sum(not line.ended for line in judged)),
    }
    return figures | _difference(judged, against)


def failed(line: Judged, errors: dict[str, Errors]) -> bool:
    return not line.ended or all(each.failed for each in errors.values())


def _difference(judged: Sequence[Judged], against: Sequence[Judged]) -> dict[str, float]:
    """Points by which the rate is above the other system's, over the sentences that both have said."""
    others = {line.text: line for line in against}
    pairs = [(line, others[line.text]) for line in judged if line.text in others]
    if not pairs or all(line is other for line, other in pairs):
        return {}
    rows = np.array([[*_both(line), *_both(other)] for line, other in pairs])
    drawn = rows[_draws(len(rows))].sum(1)
    low, high = np.percentile(100 * (drawn[:, 1] / drawn[:, 0] - drawn[:, 3] / drawn[:, 2]), [2.5, 97.5])
    mos = np.array([line.mos - other.mos for line, other in pairs])
    return {
        "wer over": _rate(rows[:, :2]) - _rate(rows[:, 2:]),
        "wer over low": float(low),
        "wer over high": float(high),
        "mos over": float(mos.mean()),
        "mos over margin": 1.96 * float(mos.std()) / len(mos) ** 0.5,
    }


def _both(line: Judged) -> tuple[int, int]:
    errors = line.errors().values()
    return sum(each.words for each in errors), sum(each.word_errors for each in errors)


def _rate(counts: Counts) -> float:
    total, wrong = counts.sum(0)
    return float(100 * wrong / total)


def _interval(counts: Counts) -> tuple[float, float]:
    drawn = counts[_draws(len(counts))].sum(1)
    low, high = np.percentile(100 * drawn[:, 1] / drawn[:, 0], [2.5, 97.5])
    return float(low), float(high)


def _draws(count: int) -> NDArray[np.int64]:
    return np.random.default_rng(0).integers(count, size=(RESAMPLES, count))
