"""What people and keys do to an organization's voices: the change and its audit entry, in one transaction."""

from __future__ import annotations

import logging
from uuid import UUID

import kombu.exceptions
from django.db import transaction

from accounts import audit
from accounts.audit import Actor, KeyActor
from accounts.identifiers import parse_prefixed
from accounts.models import AuditEvent
from gateway import consent_phrases, uploads
from gateway.errors import ApiError, invalid, not_found
from gateway.speech import own_voices
from gateway.voice_schemas import NewConsent, NewVoice
from inference import custom_voices, doorbell
from inference.custom_voices import CONSENT_PREFIX, PREFIX
from inference.models import CustomVoice, VoiceConsent
from inference.speech.reference import MAX_SAMPLE_SECONDS, MAX_TRANSCRIBED_SECONDS

log = logging.getLogger(__name__)
_Act = AuditEvent.Action
By = Actor | KeyActor


def create_consent(organization_id: UUID, asked: NewConsent, *, by: By) -> VoiceConsent:
    """Raises ApiError: 400 for a language without a phrase, an unusable recording, or one consent too many."""
    text = consent_phrases.phrase(asked.language)
    if text is None:
        raise invalid(
            f"Invalid value for 'language': there is a phrase in {', '.join(consent_phrases.PHRASES)}.",
            param="language",
            code="unsupported_value",
        )
    recording = uploads.decode(
        asked.recording,
        param="recording",
        organization_id=organization_id,
        seconds=MAX_SAMPLE_SECONDS,
        phrase=text,
    )
    try:
        with transaction.atomic():
            consent = custom_voices.create_consent(
                organization_id, name=asked.name, language=asked.language, text=text, recording=recording
            )
            _record(organization_id, by, _Act.CONSENT_CREATED, consent)
    except custom_voices.VoiceLimitReached as refusal:
        raise too_many("consents", refusal.most) from None
    return consent


def create_voice(organization_id: UUID, asked: NewVoice, *, by: By) -> CustomVoice:
    """Raises ApiError: 404 for an unknown consent; 400 for an unusable sample, or one voice too many."""
    consent_id = parse_prefixed(CONSENT_PREFIX, asked.consent)
    if consent_id is None or not custom_voices.consents(organization_id).filter(id=consent_id).exists():
        raise unknown_consent(asked.consent, "consent")
    seconds = MAX_TRANSCRIBED_SECONDS if asked.transcript else MAX_SAMPLE_SECONDS
    sample = uploads.decode(
        asked.audio_sample, param="audio_sample", organization_id=organization_id, seconds=seconds
    )
    try:
        with transaction.atomic():
            voice = custom_voices.create(
                organization_id,
                name=asked.name,
                consent_id=consent_id,
                sample=sample,
                transcript=" ".join((asked.transcript or "").split()),
            )
            _record(organization_id, by, _Act.VOICE_CREATED, voice)
    except custom_voices.UnknownConsent:  # deleted meanwhile
        raise unknown_consent(asked.consent, "consent") from None
    except custom_voices.VoiceLimitReached as refusal:
        raise too_many("voices", refusal.most) from None
    try:
        doorbell.ask_to_encode(voice.id)
    except kombu.exceptions.OperationalError:
        log.warning("no worker could be asked to encode voice %s; its first request does", voice.id)
    return voice


@transaction.atomic
def rename_consent(organization_id: UUID, name: str, to: str, *, by: By) -> VoiceConsent:
    """Raises ApiError: 404."""
    consent = find_consent(organization_id, name)
    consent.name = to
    consent.save(update_fields=["name"])
    _record(organization_id, by, _Act.CONSENT_RENAMED, consent)
    return consent


@transaction.atomic
def rename_voice(organization_id: UUID, name: str, to: str, *, by: By) -> CustomVoice:
    """Raises ApiError: 404."""
    voice = find_voice(organization_id, name)
    voice.name = to
    voice.save(update_fields=["name"])
    _record(organization_id, by, _Act.VOICE_RENAMED, voice)
    return voice


@transaction.atomic
def delete_consent(organization_id: UUID, name: str, *, by: By) -> None:
    """Delete a consent, and every voice that rests on it. Raises ApiError: 404."""
    id = parse_prefixed(CONSENT_PREFIX, name)
    deleted = id and custom_voices.delete_consent(organization_id, id)
    if not deleted:
        raise unknown_consent(name)
    consent, voices = deleted
    _record(organization_id, by, _Act.CONSENT_DELETED, consent)
    for voice in voices:
        _record(organization_id, by, _Act.VOICE_DELETED, voice)


@transaction.atomic
def delete_voice(organization_id: UUID, name: str, *, by: By) -> None:
    """Delete a voice with its sample, its codes and its consent's recording. Raises ApiError: 404."""
    id = parse_prefixed(PREFIX, name)
    deleted = id and custom_voices.delete(organization_id, id)
    if not deleted:
        raise own_voices.unknown(name, "voice_id")
    _record(organization_id, by, _Act.VOICE_DELETED, deleted)


def find_consent(organization_id: UUID, name: str) -> VoiceConsent:
    """Raises ApiError: 404."""
    id = parse_prefixed(CONSENT_PREFIX, name)
    consent = id and custom_voices.consents(organization_id).filter(id=id).first()
    if not consent:
        raise unknown_consent(name)
    return consent


def find_voice(organization_id: UUID, name: str) -> CustomVoice:
    """Raises ApiError: 404."""
    id = parse_prefixed(PREFIX, name)
    voice = id and custom_voices.voices(organization_id).filter(id=id).first()
    if not voice:
        raise own_voices.unknown(name, "voice_id")
    return voice


def unknown_consent(name: str, param: str = "consent_id") -> ApiError:
    return not_found(f"No voice consent with id {name[:100]!r}.", code="consent_not_found", param=param)


def too_many(what: str, most: int) -> ApiError:
    return invalid(
        f"Your organization has {most} {what}, which is as many as it may have: delete one first.",
        code="voice_limit_reached",
    )


def _record(organization_id: UUID, by: By, action: AuditEvent.Action, subject: VoiceConsent | CustomVoice) -> None:
    prefix = PREFIX if isinstance(subject, CustomVoice) else CONSENT_PREFIX
    audit.record(
        organization_id=organization_id,
        by=by,
        action=action,
        subject=subject.name,
        id=f"{prefix}{subject.id.hex}",
    )
