"""Whether a recording is good enough to clone the voice in it: how loud it is, whether it is speech, whether one
person speaks, and whether a phrase can have been read in it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inference.audio import SAMPLE_RATE
from inference.speech import pitch, speakers
from inference.speech.flaws import MIN_SAMPLE_SECONDS, Flaw

Samples = NDArray[np.float32]
SILENCE = 1e-3
"""Below this peak, of full scale, nothing is heard: -60 dB."""
QUIET_DB = -45.0
"""The level of the loud moments, of full scale, below which the noise of a microphone is as loud as a voice."""
CLIPPED_LEVEL = 0.99
CLIPPED_SHARE = 0.005
"""The share of samples at the limit above which distortion is heard. A mastered recording has a tenth of it."""
LOUD_PERCENTILE = 95
ACTIVE_DB = 30.0
"""Below the loud moments, what is not part of an utterance."""
VOICED_SECONDS = 1.0
"""Of vowels and voiced consonants: about two seconds of speech."""
VOICED_CORRELATION = 0.5
VARIATION_DB = 2.0
"""The least deviation of the level within an utterance. Syllables make 5 dB and more, a tone or a hum none."""
READING_CHARACTERS = (6, 35)
"""Characters that are read in a second of sound, pauses not counted: people read 10 to 25."""
_WINDOW = SAMPLE_RATE // 25
_HOP = _WINDOW // 2


def flaw_of(samples: Samples, *, sample_of_voice: bool, phrase_characters: int = 0) -> Flaw | None:
    """What makes the recording useless; None where nothing does.

    Args:
        sample_of_voice: whether it is kept as a voice, and must be good; otherwise it must be heard.
        phrase_characters: the length of the text that is read in it; 0 where it may be any.
    """
    if np.abs(samples).max(initial=0) < SILENCE:
        return Flaw.SILENT
    if not sample_of_voice:
        return None
    if len(samples) < MIN_SAMPLE_SECONDS * SAMPLE_RATE:
        return Flaw.TOO_SHORT
    windows = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::_HOP]
    levels = 10 * np.log10(np.square(windows, dtype=np.float64).mean(axis=1) + 1e-12)
    loud = np.percentile(levels, LOUD_PERCENTILE)
    if loud < QUIET_DB:
        return Flaw.TOO_QUIET
    if (np.abs(samples) >= CLIPPED_LEVEL).mean() > CLIPPED_SHARE:
        return Flaw.CLIPPED
    active = levels > loud - ACTIVE_DB
    periodicity, hertz = pitch.of(windows[active])
    voiced = periodicity > VOICED_CORRELATION
    if np.count_nonzero(voiced) * _HOP / SAMPLE_RATE < VOICED_SECONDS or levels[active].std() < VARIATION_DB:
        return Flaw.NO_SPEECH
    if speakers.several(hertz[voiced]):
        return Flaw.SEVERAL_SPEAKERS
    spoken_seconds = np.count_nonzero(active) * _HOP / SAMPLE_RATE
    slowest, fastest = READING_CHARACTERS
    if phrase_characters and not slowest < phrase_characters / spoken_seconds < fastest:
        return Flaw.NOT_THE_PHRASE
    return None
