"""How the preview renders its one speaker as each voice of `inference.speech.voices`.

The voices are far enough apart to be told by ear. The gains bring them to one loudness, about -21.6 dBFS. The
comments give the median pitch.
"""

from __future__ import annotations

from inference.engines.preview.network import Rendering

RENDERINGS: dict[str, Rendering] = {
    # 195 Hz: the speaker as she is.
    "alloy": Rendering(),
    # 137 Hz.
    "ash": Rendering(pitch=0.68, formants=0.92, melody=0.9, pace=1.22, tilt=0.5, gain=1.8),
    # 136 Hz.
    "ballad": Rendering(pitch=0.72, formants=0.92, melody=1.15, pace=0.86, tilt=-1, gain=1.65),
    # 113 Hz.
    "cedar": Rendering(pitch=0.58, formants=0.9, melody=0.9, pace=0.9, tilt=0.5, gain=1.45),
    # 226 Hz.
    "coral": Rendering(pitch=1.12, formants=1.06, melody=1.2, pace=1.16, gain=1.7),
    # 126 Hz.
    "echo": Rendering(pitch=0.64, formants=0.9, melody=0.85, pace=0.95, tilt=1, gain=1.9),
    # 155 Hz.
    "fable": Rendering(pitch=0.75, formants=0.85, melody=1.25, pace=1.0, tilt=1, gain=1.9),
    # 180 Hz.
    "marin": Rendering(pitch=0.93, formants=1.06, melody=1.1, pace=0.95, tilt=1, gain=2.05),
    # 229 Hz.
    "nova": Rendering(pitch=1.2, formants=1.05, melody=1.1, pace=1.18, tilt=-1, gain=1.4),
    # 98 Hz.
    "onyx": Rendering(pitch=0.47, formants=0.93, melody=0.9, pace=0.95, tilt=0.5, gain=1.45),
    # 162 Hz.
    "sage": Rendering(pitch=0.86, formants=0.96, melody=0.85, pace=0.85, breath=0.1, gain=2.05),
    # 227 Hz.
    "shimmer": Rendering(pitch=1.2, formants=1.08, tilt=1.5, gain=1.95),
    # 161 Hz.
    "verse": Rendering(pitch=0.84, formants=0.98, melody=1.25, pace=1.2, gain=1.85),
}
