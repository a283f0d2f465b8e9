"""All that is kept of a customer or of a person, as files of a zip archive (GDPR, articles 15 and 20).

It is the counterpart of `gateway.erasure`: what a deletion forgets can be had before. Tables are JSON Lines, one
file each; audio, recordings and uploaded files are in folders. Secrets are in none: keys are there without what
they are verified with.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.core.files.storage import Storage
from django.db.models import Model
from django.utils import timezone

from accounts import paging
from accounts.exporting import Table, as_json
from accounts.models import (
    ApiKey,
    AuditEvent,
    Invitation,
    Membership,
    Organization,
    ServiceAccount,
    User,
    Visit,
)
from billing import export as billing_export
from gateway.batches import files
from gateway.models import BackgroundRequest, BatchLine, File, SpeechBatch
from gateway.zips import Member
from inference import assets, custom_voices, spool
from inference.models import (
    AudioAsset,
    CustomVoice,
    KeyPronunciation,
    LostAttempt,
    PronunciationDictionary,
    PronunciationVersion,
    SynthesisJob,
    VoiceConsent,
)
from usage.models import RequestLog
from webhooks.models import Delivery

PIECE_BYTES = 1 << 18
LISTED = 100
"""Stored files that are listed at a time."""

_OF_ACCOUNTS = ("password", "last_login", "is_superuser", "is_staff", "is_active", "max_organizations")
"""What of a member's account is no business of the organization's."""
_OF_OTHERS = ("actor", "actor_id", "address", "detail")
"""Who did something to a person, and from where: that is the other one's."""

OF_ORGANIZATION = (
    Table("organization", Organization, "id"),
    Table("members", Membership, "organization"),
    Table("people", User, "memberships__organization", hidden=_OF_ACCOUNTS),
    Table("invitations", Invitation, "organization"),
    Table("service_accounts", ServiceAccount, "organization"),
    Table("api_keys", ApiKey, "organization", hidden=("pepper_number",)),
    Table("activity", AuditEvent, "organization_id"),
    *billing_export.TABLES,
    Table("requests", RequestLog, "organization_id", order="created_at"),
    Table("jobs", SynthesisJob, "organization", hidden=("fingerprint", "recordings", "receipt")),
    Table("lost_attempts", LostAttempt, "job__organization"),
    Table("audio", AudioAsset, "organization", hidden=("path", "codes_path", "conversions", "receipt")),
    Table("voice_consents", VoiceConsent, "organization"),
    Table("voices", CustomVoice, "organization", hidden=("codec",)),
    Table("pronunciation_dictionaries", PronunciationDictionary, "organization"),
    Table("pronunciation_versions", PronunciationVersion, "dictionary__organization"),
    Table("pronunciation_defaults", KeyPronunciation, "dictionary__organization"),
    Table("files", File, "organization", hidden=("path",)),
    Table("batches", SpeechBatch, "organization"),
    Table("batch_lines", BatchLine, "batch__organization"),
    Table("background_requests", BackgroundRequest, "organization"),
)
OF_PERSON = (
    Table("person", User, "id", hidden=("password",)),
    Table("email_addresses", EmailAddress, "user"),
    Table("second_factors", Authenticator, "user", hidden=("data",)),
    Table("sign_ins_elsewhere", SocialAccount, "user"),
    Table("sessions", UserSession, "user", hidden=("session_key", "data")),
    Table("memberships", Membership, "user"),
    Table("invitations_sent", Invitation, "invited_by"),
    Table("activity", AuditEvent, "actor_id"),
    Table("support_visits", Visit, "operator"),
    Table("operator_log", LogEntry, "user"),
    Table("playground_keys", ApiKey, "playground_of", hidden=("pepper_number",)),
)
BY_ADDRESS = (
    Table("invitations_received", Invitation, "email__iexact", hidden=("invited_by",)),
    Table("activity_about_me", AuditEvent, "subject__iexact", hidden=_OF_OTHERS),
    Table("letters", Delivery, "address__iexact"),
)
"""What names a person by an e-mail address."""


def organization(organization_id: UUID) -> Generator[Member]:
    """The files of an organization's export."""
    now = timezone.now()
    yield _contents(OF_ORGANIZATION, now, folders=("audio/", "voices/", "voice_consents/", "files/"))
    for table in OF_ORGANIZATION:
        yield _member(table, organization_id, now)
    yield from _audio(organization_id)
    for voice in custom_voices.voices(organization_id):
        yield Member(f"voices/voice_{voice.id.hex}.flac", voice.created_at, _column(voice, "sample"))
    for consent in custom_voices.consents(organization_id):
        name = f"voice_consents/cons_{consent.id.hex}.flac"
        yield Member(name, consent.created_at, _column(consent, "recording"))
    for file in paging.rows(files.kept(organization_id), by="id", size=LISTED):
        name = f"files/file-{file.id.hex}.jsonl"
        yield from _stored(files.store(), file.path, name, file.created_at, file.bytes)


def person(user: User) -> Generator[Member]:
    """The files of a person's export: the account, and where their name is written."""
    now = timezone.now()
    yield _contents((*OF_PERSON, *BY_ADDRESS), now)
    for table in OF_PERSON:
        yield _member(table, user.pk, now)
    addresses = {user.email, *EmailAddress.objects.filter(user=user).values_list("email", flat=True)}
    for table in BY_ADDRESS:
        lines = chain.from_iterable(table.lines(address) for address in sorted(addresses))
        yield Member(f"{table.name}.jsonl", now, spool.drained(lines), compress=True)


def _contents(tables: Sequence[Table], now: datetime, folders: Sequence[str] = ()) -> Member:
    names = [*(f"{table.name}.jsonl" for table in tables), *folders]
    return Member("contents.json", now, [as_json({"exported_at": now, "contents": names}).encode()])


def _member(table: Table, owner: object, now: datetime) -> Member:
    return Member(f"{table.name}.jsonl", now, spool.drained(table.lines(owner)), compress=True)


def _column(row: Model, column: str) -> Iterator[bytes]:
    """A binary column, read when its turn comes; empty where the row was deleted meanwhile."""
    found = type(row)._default_manager.filter(pk=row.pk).values_list(column, flat=True)
    yield from map(bytes, found)


def _audio(organization_id: UUID) -> Iterable[Member]:
    """The audio that is still stored, in the format in which it was asked for."""
    kept = AudioAsset.objects.filter(organization=organization_id, purged_at=None)
    for asset in paging.rows(kept.only("path", "size", "created_at"), by="created_at", size=LISTED):
        suffix = asset.path.rpartition(".")[2]
        name = f"audio/audio_{asset.job_id.hex}.{suffix}"
        yield from _stored(assets.store(), asset.path, name, asset.created_at, asset.size)


def _stored(store: Storage, path: str, name: str, made_at: datetime, size: int) -> Iterable[Member]:
    """A file of a store, read as it is sent; none where it expired since its row was read."""
    try:
        file = store.open(path)
    except FileNotFoundError:
        return
    with file:
        yield Member(name, made_at, file.chunks(PIECE_BYTES), size)
