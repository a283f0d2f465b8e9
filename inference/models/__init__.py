"""Jobs and the audio they leave, and the voices and pronunciations that customers bring."""

from __future__ import annotations

from inference.models.audio import AudioAsset
from inference.models.jobs import LostAttempt, SynthesisJob, Worker
from inference.models.pronunciations import KeyPronunciation, PronunciationDictionary, PronunciationVersion
from inference.models.voices import CustomVoice, VoiceConsent

__all__ = [
    "AudioAsset",
    "CustomVoice",
    "KeyPronunciation",
    "LostAttempt",
    "PronunciationDictionary",
    "PronunciationVersion",
    "SynthesisJob",
    "VoiceConsent",
    "Worker",
]
