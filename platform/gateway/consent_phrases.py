"""What a speaker reads to consent to a clone of their voice: a fixed text for each language."""

from __future__ import annotations

from django.conf import settings

PHRASES = {
    "de": "Ich bin der Inhaber dieser Stimme und willige ein, dass {company} sie verwendet, um ein synthetisches "
    "Stimmmodell zu erstellen.",
    "en": "I am the owner of this voice, and I consent to {company} using this voice to create a synthetic voice "
    "model.",
    "es": "Soy el propietario de esta voz y doy mi consentimiento para que {company} la utilice para crear un "
    "modelo de voz sintética.",
    "fr": "Je suis le propriétaire de cette voix et j'autorise {company} à l'utiliser pour créer un modèle de "
    "voix synthétique.",
    "it": "Sono il proprietario di questa voce e acconsento che {company} la utilizzi per creare un modello di "
    "voce sintetica.",
    "nl": "Ik ben de eigenaar van deze stem en geef {company} toestemming om deze stem te gebruiken om een "
    "synthetisch stemmodel te maken.",
    "pt": "Eu sou o proprietário desta voz e autorizo {company} a usá-la para criar um modelo de voz sintética.",
}
"""By language (ISO 639-1)."""


def phrase(language: str) -> str | None:
    """The text for a language tag such as `en-US`; None where there is none."""
    text = PHRASES.get(language.partition("-")[0].lower())
    return text and text.format(company=settings.ENVIRONMENT.company_name)
