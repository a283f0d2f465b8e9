"""espeak-ng through ctypes: one sentence in, its samples out.

espeak-ng keeps everything in static variables. Two threads in it at once crash, and a sentence comes out a
hair different by what was spoken before it: the flutter of the pitch, the noise of the breath, the gain after
a peak. So `speak` holds a lock and loads a fresh image of the library for every sentence, which costs about
3 ms: what is heard depends on the sentence and the voice alone, and a retry gives the same bytes. POSIX only.
"""

from __future__ import annotations

import _ctypes
import ctypes
import os
import threading
from dataclasses import dataclass

import espeakng_loader
import numpy as np
import numpy.typing as npt

SAMPLE_RATE = 22_050
"""Samples per second of `speak`, mono."""

# speak_lib.h. Synchronous means that the audio is handed to a callback inside espeak_Synth, in its thread.
_OUTPUT_SYNCHRONOUS = 2
_DONT_EXIT = 0x8000  # without it a missing file ends the process
_UTF8 = 1
_RATE, _VOLUME, _PITCH, _RANGE = 1, 2, 3, 4
_OnAudio = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)

_lock = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class EspeakVoice:
    """A way to speak. `volume` 100, `pitch` 50 and `range` 50 leave the variant as it is."""

    name: str
    """Language and variant: "en-us+f2"."""
    rate: int
    """Words per minute."""
    pitch: int
    """0 to 99, about an octave either way."""
    range: int
    """0 to 99: how far the pitch moves in a sentence; 0 is a monotone."""
    volume: int
    """0 to 200. At 100 some variants reach full scale and are limited, audibly."""


def version() -> str:
    """The library's version: "1.52.0"."""
    with _lock:
        library = _load()
        try:
            library.espeak_Info.restype = ctypes.c_char_p
            return str(library.espeak_Info(None).decode().split(maxsplit=1)[0])
        finally:
            _unload(library)


def speak(sentence: str, voice: EspeakVoice) -> npt.NDArray[np.int16]:
    """Speak a sentence.

    Returns:
        Shape (samples,) at `SAMPLE_RATE`, with no pause at its end; empty where there is nothing to say.

    Raises:
        RuntimeError: espeak-ng did not start, has no such voice, or failed.
    """
    text = sentence.encode() + b"\0"
    pieces: list[bytes] = []

    def keep(samples: int | None, count: int, _events: int | None) -> int:
        if samples and count > 0:
            pieces.append(ctypes.string_at(samples, 2 * count))
        return 0

    on_audio = _OnAudio(keep)
    with _lock:
        library = _load()
        voices = None
        try:
            _start(library)
            # espeak_SetVoiceByName would make this list too, and nobody would free it.
            library.espeak_ListVoices.restype = ctypes.c_void_p
            voices = library.espeak_ListVoices(None)
            _choose(library, voice)
            library.espeak_SetSynthCallback(on_audio)
            size = ctypes.c_size_t(len(text))
            _check(library.espeak_Synth(text, size, 0, 0, 0, _UTF8, None, None), "speak")
        finally:
            library.espeak_Terminate()
            if _unload(library):
                _free(voices)
    return np.frombuffer(b"".join(pieces), np.int16)


def _load() -> ctypes.CDLL:
    return ctypes.CDLL(espeakng_loader.get_library_path())


def _unload(library: ctypes.CDLL) -> bool:
    """Let the image go. False where it stays, as someone else in the process holds it or libc never lets go:
    then its variables live on and are still in use."""
    _ctypes.dlclose(library._handle)
    try:
        still = ctypes.CDLL(library._name, mode=os.RTLD_NOW | os.RTLD_NOLOAD)
    except OSError:
        return True
    _ctypes.dlclose(still._handle)
    return False


def _start(library: ctypes.CDLL) -> None:
    path = str(espeakng_loader.get_data_path()).encode()
    rate = library.espeak_Initialize(_OUTPUT_SYNCHRONOUS, 0, path, _DONT_EXIT)
    if rate != SAMPLE_RATE:
        raise RuntimeError(f"espeak-ng did not start: {rate}")
    library.espeak_ng_SetRandSeed(ctypes.c_long(0))  # else the clock seeds the breath


def _choose(library: ctypes.CDLL, voice: EspeakVoice) -> None:
    _check(library.espeak_SetVoiceByName(voice.name.encode()), f"find the voice {voice.name}")
    settings = {_RATE: voice.rate, _VOLUME: voice.volume, _PITCH: voice.pitch, _RANGE: voice.range}
    for parameter, value in settings.items():
        _check(library.espeak_SetParameter(parameter, value, 0), f"set parameter {parameter} to {value}")


def _check(status: int, deed: str) -> None:
    if status != 0:
        raise RuntimeError(f"espeak-ng could not {deed}: {status}")


def _free(pointer: int | None) -> None:
    free = ctypes.CDLL(None).free
    free.argtypes = [ctypes.c_void_p]
    free(pointer)
