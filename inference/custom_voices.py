"""The voices that organizations made of recordings, each with a speaker's consent. The only writer of both tables.

Every function takes the organization, and finds nothing of another one's.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from psycopg_pool import AsyncConnectionPool

from accounts.identifiers import new_id
from accounts.models import Organization
from inference.models import CustomVoice, VoiceConsent

PREFIX = "voice_"
"""Of a voice's id, as customers see it."""
CONSENT_PREFIX = "cons_"
HEAVY = ("sample", "codes")
"""What of a voice is large, and is read where it is needed."""


class VoiceLimitReached(Exception):
    """The organization has as many as it may have. `most`: how many that is."""

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self.most = most


class UnknownConsent(Exception):
    """The organization has no such consent."""


def most_of(organization: Organization) -> int:
    """How many voices the organization may have, and as many consents."""
    return organization.max_voices or int(settings.ENVIRONMENT.voices_per_organization)


def consents(organization_id: UUID) -> QuerySet[VoiceConsent]:
    """The newest first, without their recordings."""
    of_it = VoiceConsent.objects.filter(organization=organization_id)
    return of_it.defer("recording").order_by("-id")


def voices(organization_id: UUID) -> QuerySet[CustomVoice]:
    """The newest first, without their samples."""
    return CustomVoice.objects.filter(organization=organization_id).defer(*HEAVY).order_by("-id")


@transaction.atomic
def create_consent(
    organization_id: UUID, *, name: str, language: str, text: str, recording: bytes
) -> VoiceConsent:
    """Keep a consent. Raises VoiceLimitReached."""
    _leave_room(organization_id, VoiceConsent.objects.filter(organization=organization_id))
    return VoiceConsent.objects.create(
        id=new_id(),
        organization_id=organization_id,
        name=name,
        language=language,
        text=text,
        recording=recording,
        created_at=timezone.now(),
    )


@transaction.atomic
def create(
    organization_id: UUID, *, name: str, consent_id: UUID, sample: bytes, transcript: str = ""
) -> CustomVoice:
    """Keep a voice. Raises VoiceLimitReached; UnknownConsent."""
    _leave_room(organization_id, CustomVoice.objects.filter(organization=organization_id))
    # Locked: it may not be withdrawn until the voice is there to go with it.
    consent = VoiceConsent.objects.select_for_update().filter(organization=organization_id, id=consent_id).first()
    if consent is None:
        raise UnknownConsent
    return CustomVoice.objects.create(
        id=new_id(),
        organization_id=organization_id,
        consent=consent,
        name=name,
        sample=sample,
        transcript=transcript,
        created_at=timezone.now(),
    )


@transaction.atomic
def delete(organization_id: UUID, voice_id: UUID) -> CustomVoice | None:
    """Delete a voice, its sample and codes, and its consent if no other voice rests on it; None if there is none.

    A request that is being spoken goes on; one that waits fails at no cost.
    """
    voice = voices(organization_id).select_for_update().filter(id=voice_id).first()
    if voice is None:
        return None
    consent = VoiceConsent.objects.select_for_update().only("id").get(id=voice.consent_id)
    CustomVoice.objects.filter(id=voice_id).delete()
    if not CustomVoice.objects.filter(consent=consent).exists():
        VoiceConsent.objects.filter(id=consent.id).delete()
    return voice


@transaction.atomic
def delete_consent(organization_id: UUID, consent_id: UUID) -> tuple[VoiceConsent, list[CustomVoice]] | None:
    """Withdraw a consent: it goes, and every voice that rests on it. None if there is none."""
    consent = consents(organization_id).select_for_update().filter(id=consent_id).first()
    if consent is None:
        return None
    resting = list(voices(organization_id).filter(consent=consent))
    VoiceConsent.objects.filter(id=consent_id).delete()
    return consent, resting


def erase(organization_id: UUID) -> None:
    """Delete all voices and consents of an organization."""
    VoiceConsent.objects.filter(organization=organization_id).delete()  # its voices rest on them


async def existing(database: AsyncConnectionPool, ids: Collection[UUID], *, organization_id: UUID) -> set[UUID]:
    """Which of these voices the organization has."""
    async with database.connection() as connection:
        cursor = await connection.execute(
            "SELECT id FROM inference_customvoice WHERE organization_id = %s AND id = ANY (%s)",
            (organization_id, list(ids)),
        )
        return {id for (id,) in await cursor.fetchall()}


def _leave_room(organization_id: UUID, those: QuerySet[VoiceConsent] | QuerySet[CustomVoice]) -> None:
    """Count under a lock, so that two requests do not both take the last place. Raises VoiceLimitReached."""
    organization = Organization.objects.select_for_update(no_key=True).get(id=organization_id)
    if those.count() >= (most := most_of(organization)):
        raise VoiceLimitReached(most)
