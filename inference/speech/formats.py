"""The audio formats on offer and their options; the encoders behind them are `inference.speech.encoding`'s."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from inference.audio import SAMPLE_RATE

CONTENT_TYPES = {
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "opus": "audio/ogg; codecs=opus",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "pcm": f"audio/pcm;rate={SAMPLE_RATE};channels=1",
    "mulaw": "audio/PCMU",
    "alaw": "audio/PCMA",
}
WEBM_CONTENT_TYPE = "audio/webm; codecs=opus"
ALIASES = {
    "pcm16": "pcm",
    "g711_ulaw": "mulaw",
    "pcmu": "mulaw",
    "g711_alaw": "alaw",
    "pcma": "alaw",
}
"""OpenAI's chat says pcm16 where its speech says pcm, and its realtime API says g711_ulaw; telephony says PCMU."""
FORMAT_NAMES = (*CONTENT_TYPES, *ALIASES)

TELEPHONY_RATE = 8_000
"""Samples per second of G.711, which has no other rate."""
RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
SAMPLE_RATES: dict[str, Sequence[int]] = {
    "pcm": RATES,
    "wav": RATES,
    "opus": (8_000, 12_000, 16_000, 24_000, 48_000),
    "mulaw": (TELEPHONY_RATE,),
    "alaw": (TELEPHONY_RATE,),
}
"""Samples per second on offer for each format that lets the client choose."""
BIT_RATES: dict[str, Sequence[int]] = {
    # Layer III of MPEG-2, which 24 kHz belongs to, has these constant rates and no other.
    "mp3": (
        8_000, 16_000, 24_000, 32_000, 40_000, 48_000, 56_000, 64_000, 80_000, 96_000, 112_000, 128_000, 144_000,
        160_000,
    ),
    "opus": range(6_000, 256_001),
    "aac": range(16_000, 144_001),
}  # fmt: skip
"""Bits per second on offer for each compressed format."""
CONTAINERS = {"opus": ("ogg", "webm")}
LOUDNESS_RANGE = (-36.0, -8.0)
"""LUFS (ITU-R BS.1770) that audio can be brought to."""


class UnsupportedOption(ValueError):
    """An option that the format does not have, or a value that the option cannot have; `option` names it."""

    def __init__(self, option: str, message: str) -> None:
        super().__init__(message)
        self.option = option


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioFormat:
    """A format with its options; an option that is not set has the format's default.

    `str` writes it as a job's row and a stored copy's name hold it, such as `opus;rate=16000;container=webm`, and
    `parse` reads that. A format without options is its name alone.
    """

    name: str
    rate: int | None = None
    """Samples per second."""
    bitrate: int | None = None
    """Bits per second."""
    container: str | None = None
    loudness: float | None = None
    """LUFS that the audio is brought to; None leaves it as it was spoken."""

    @classmethod
    def chosen(
        cls,
        name: str,
        *,
        sample_rate: int | None = None,
        bitrate: int | None = None,
        container: str | None = None,
        loudness: float | None = None,
    ) -> Self:
        """The format that a client asks for. Options that are the default are left out, so that equals are equal.

        Raises:
            UnsupportedOption: the format has no such option, or not this value of it.
        """
        name = canonical(name)
        for option, value, on_offer in (
            ("sample_rate", sample_rate, SAMPLE_RATES),
            ("bitrate", bitrate, BIT_RATES),
            ("container", container, CONTAINERS),
        ):
            if value is not None:
                _check(option, value, name, on_offer)
        low, high = LOUDNESS_RANGE
        if loudness is not None and not low <= loudness <= high:
            raise UnsupportedOption("loudness", f"from {low:g} to {high:g} LUFS")
        return cls(
            name=name,
            rate=None if sample_rate == default_rate(name) else sample_rate,
            bitrate=bitrate,
            container=None if container == CONTAINERS.get(name, ("",))[0] else container,
            loudness=loudness,
        )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError: `str` did not write it."""
        name, *options = text.split(";")
        given = dict(option.split("=") for option in options)
        return cls(
            name=name,
            rate=int(given["rate"]) if "rate" in given else None,
            bitrate=int(given["bitrate"]) if "bitrate" in given else None,
            container=given.get("container"),
            loudness=float(given["loudness"]) if "loudness" in given else None,
        )

    def __str__(self) -> str:
        options = {
            "rate": self.rate,
            "bitrate": self.bitrate,
            "container": self.container,
            "loudness": None if self.loudness is None else f"{self.loudness:g}",
        }
        return ";".join([self.name, *(f"{name}={value}" for name, value in options.items() if value is not None)])

    @property
    def sample_rate(self) -> int:
        """Samples per second of what is encoded."""
        return self.rate or default_rate(self.name)

    @property
    def content_type(self) -> str:
        if self.container == "webm":
            return WEBM_CONTENT_TYPE
        if self.name == "pcm" and self.rate:
            return f"audio/pcm;rate={self.rate};channels=1"
        return CONTENT_TYPES[self.name]

    @property
    def suffix(self) -> str:
        """The end of a file's name."""
        return self.container or self.name


def canonical(name: str) -> str:
    """The format that a name on offer stands for."""
    return ALIASES.get(name, name)


def default_rate(name: str) -> int:
    return TELEPHONY_RATE if SAMPLE_RATES.get(name) == (TELEPHONY_RATE,) else SAMPLE_RATE


def _check(option: str, value: object, name: str, on_offer: Mapping[str, Sequence[object]]) -> None:
    values = on_offer.get(name)
    if values is None:
        raise UnsupportedOption(option, f"{name} has none; it is an option of {', '.join(on_offer)}")
    if value not in values:
        shown = f"from {values[0]} to {values[-1]}" if isinstance(values, range) else _listed(values)
        raise UnsupportedOption(option, f"{shown} for {name}")


def _listed(values: Sequence[object]) -> str:
    return f"one of {', '.join(map(str, values))}" if len(values) > 1 else str(values[0])
