"""The forms of the voices page. The API's schemas check what they hold (`gateway.voice_schemas`)."""

from __future__ import annotations

from typing import Any

from django import forms

from gateway.consent_phrases import PHRASES
from inference.custom_voices import CONSENT_PREFIX
from inference.models import VoiceConsent
from inference.speech.reference import MAX_SAMPLE_SECONDS, MAX_TRANSCRIBED_SECONDS

LANGUAGES = {
    "de": "German",
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "it": "Italian",
    "nl": "Dutch",
    "pt": "Portuguese",
}


def _recording(label: str) -> forms.FileField:
    return forms.FileField(
        label=label,
        help_text=f"3 to {MAX_SAMPLE_SECONDS} seconds, up to 10 MiB: wav, mp3, flac, ogg, m4a or webm.",
        widget=forms.FileInput({"accept": "audio/*,.webm,.m4a", "data-recorder": MAX_SAMPLE_SECONDS}),
    )


class ConsentForm(forms.Form):
    name = forms.CharField(label="Speaker", max_length=200, widget=forms.TextInput({"autocomplete": "off"}))
    language = forms.ChoiceField(
        label="Language", choices=[(code, LANGUAGES[code]) for code in PHRASES], initial="en"
    )
    recording = _recording("Recording of the phrase")


class VoiceForm(forms.Form):
    name = forms.CharField(label="Name", max_length=200, widget=forms.TextInput({"autocomplete": "off"}))
    consent = forms.ChoiceField(label="Consent")
    audio_sample = _recording("Sample of the voice")
    transcript = forms.CharField(
        label="What is said in the sample",
        required=False,
        help_text="Word for word. The clone is closer to the voice then, and the sample has at most "
        f"{MAX_TRANSCRIBED_SECONDS} seconds.",
        widget=forms.Textarea({"rows": 2}),
    )

    def __init__(self, *args: Any, consents: list[VoiceConsent], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(f"{CONSENT_PREFIX}{consent.id.hex}", consent.name) for consent in consents]
        self.fields["consent"] = forms.ChoiceField(label="Consent", choices=choices)
