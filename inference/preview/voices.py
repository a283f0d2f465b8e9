"""The preview's thirteen voices: espeak-ng variants set far enough apart to be told by ear.

Volumes bring them to one loudness, about -21 dBFS, with no peak at full scale. The comments give the median
pitch.
"""

from __future__ import annotations

from inference.preview.espeak import EspeakVoice

PRESETS: dict[str, EspeakVoice] = {
    # Even and neutral; 181 Hz.
    "alloy": EspeakVoice(name="en-us+f3", rate=174, pitch=32, range=55, volume=102),
    # Brisk and clear; 102 Hz.
    "ash": EspeakVoice(name="en-us+m3", rate=184, pitch=46, range=60, volume=100),
    # Soft, slow, melodious, British; 114 Hz.
    "ballad": EspeakVoice(name="en-gb-x-rp+m7", rate=154, pitch=54, range=75, volume=77),
    # Warm and steady; 93 Hz.
    "cedar": EspeakVoice(name="en-us+Michael", rate=166, pitch=38, range=45, volume=80),
    # Friendly and lively; 220 Hz.
    "coral": EspeakVoice(name="en-us+f2", rate=180, pitch=60, range=70, volume=77),
    # Measured, in a small room; 117 Hz.
    "echo": EspeakVoice(name="en-us+m2", rate=160, pitch=64, range=60, volume=110),
    # A Scottish storyteller; 134 Hz.
    "fable": EspeakVoice(name="en-gb-scotland+m5", rate=166, pitch=72, range=75, volume=85),
    # Bright and careful; 214 Hz.
    "marin": EspeakVoice(name="en-us+linda", rate=170, pitch=42, range=80, volume=74),
    # Fast and high-spirited; 251 Hz.
    "nova": EspeakVoice(name="en-us+f5", rate=196, pitch=68, range=65, volume=91),
    # Deep and dark; 74 Hz.
    "onyx": EspeakVoice(name="en-us+m8", rate=158, pitch=36, range=50, volume=164),
    # Calm and low, British; 166 Hz.
    "sage": EspeakVoice(name="en-gb-x-rp+f1", rate=158, pitch=44, range=50, volume=81),
    # The brightest and highest; 259 Hz.
    "shimmer": EspeakVoice(name="en-us+Annie", rate=176, pitch=58, range=60, volume=94),
    # Eager, expressive; 140 Hz.
    "verse": EspeakVoice(name="en-us+max", rate=192, pitch=78, range=80, volume=101),
}
