"""Whether a recording has more than one speaker, as far as the pitch tells.

People keep to a range of pitch of their own: the median pitch of one second of a speaker is mostly within a
quarter of an octave of the next one's. Where the seconds of a recording fall into two groups that are nearly half
an octave apart, two people speak. Two people of like pitch are not told apart: that takes a model of voices, which
serving does without.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

WINDOWS_A_SECOND = 50
APART_OCTAVES = 0.42
"""Between the means of the two groups. The benchmark `speakers` counts false alarms and what is found."""
LEAST_SHARE = 0.2
"""Of the seconds in the smaller group: an exclamation is no second speaker."""
LEAST_SECONDS = 4
"""Of voiced speech; in less, a question and an answer already look like two groups."""


def several(pitch: NDArray[np.float64]) -> bool:
    """Whether the pitch, in Hz, of the voiced windows in their order is that of several speakers."""
    seconds = len(pitch) // WINDOWS_A_SECOND
    if seconds < LEAST_SECONDS:
        return False
    medians = np.sort([np.median(part) for part in np.array_split(np.log2(pitch), seconds)])
    least = max(1, int(np.ceil(LEAST_SHARE * seconds)))
    splits = range(least, seconds - least + 1)
    best = min(splits, key=lambda place: _spread(medians[:place]) + _spread(medians[place:]))
    return bool(medians[best:].mean() - medians[:best].mean() > APART_OCTAVES)


def _spread(values: NDArray[np.float64]) -> float:
    return float(np.square(values - values.mean()).sum())
