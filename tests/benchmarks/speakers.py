"""How often a recording of one synthetic voice is taken for two, and two who take turns are found."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from tests.benchmarks import budget

SENTENCES = (
    "I am the owner of this voice, and I consent to this company using it.",
    "The train leaves at ten, from platform four.",
    "Is it raining outside, or is that only the wind?",
    "We walked along the river until the lights of the town came into view.",
    "Nobody knows why it happened.",
    "Please remember to close the window before you leave!",
    "She sells sea shells by the sea shore, and they are good.",
    "My brother bought eleven green apples at the market on Monday.",
    "What a wonderful surprise this is!",
    "Every morning he reads the newspaper with a cup of black coffee.",
)
OF_ONE = budget.number(16, least=1)
"""Recordings of each voice: some sentences in any order; every fourth is noisy, every fourth quiet."""
OF_TWO = budget.number(2, least=1)
"""Of each pair, who say a sentence each by turns."""
LONGEST = 30 * 24_000
PITCH = {
    "alloy": 200, "ash": 137, "ballad": 149, "cedar": 121, "coral": 222, "echo": 130, "fable": 156, "marin": 189,
    "nova": 238, "onyx": 98, "sage": 171, "shimmer": 240, "verse": 171,
}  # fmt: skip
"""Median, in Hz, over the sentences."""


def run() -> None:
    from inference.engines.preview.engine import PreviewEngine
    from inference.engines.protocol import Segment, SpeechRequest
    from inference.speech.flaws import Flaw
    from inference.speech.recording_checks import flaw_of

    engine = PreviewEngine(slots=2)
    said = {}
    for voice in PITCH:
        for number, text in enumerate(SENTENCES):
            request = SpeechRequest(id="bench", segments=(Segment(text, voice),))
            said[voice, number] = np.concatenate([chunk.pcm for chunk in engine.submit(request)])
    engine.close()
    chance = np.random.default_rng(11)

    def refused(samples: np.ndarray) -> bool:  # type: ignore[type-arg]
        return flaw_of(samples[:LONGEST].astype(np.float32), sample_of_voice=True) == Flaw.SEVERAL_SPEAKERS

    alarms = alone = 0
    for voice in PITCH:
        for number in range(OF_ONE):
            chosen = chance.permutation(len(SENTENCES))[: chance.integers(2, 8)]
            samples = np.concatenate([said[voice, each] for each in chosen])
            if number % 4 == 1:
                samples = samples + 0.003 * chance.standard_normal(len(samples))
            alarms += refused(samples * (0.1 if number % 4 == 2 else 1))
            alone += 1
    found = {True: 0, False: 0}
    pairs = {True: 0, False: 0}
    for one, other in combinations(PITCH, 2):
        apart = abs(np.log2(PITCH[one] / PITCH[other])) >= 0.5
        for _ in range(OF_TWO):
            chosen = chance.permutation(len(SENTENCES))[: chance.integers(4, 8)]
            turns = [said[(one, other)[turn % 2], each] for turn, each in enumerate(chosen)]
            found[apart] += refused(np.concatenate(turns))
            pairs[apart] += 1
    print(f"one voice: {alarms} of {alone} refused")
    print(f"two voices half an octave apart or more: {found[True]} of {pairs[True]} refused")
    print(f"two voices that are closer: {found[False]} of {pairs[False]} refused")
