"""Organizations with people and a history, written straight into the tables, as pages show them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from allauth.account.models import EmailAddress
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from accounts import keys, organizations
from accounts.audit import Actor
from accounts.identifiers import new_id
from accounts.models import ApiKey, Membership, Organization, User
from billing import ledger
from billing.models import UsageRecord
from inference.models import SynthesisJob
from usage.models import RequestLog, UsageRollup

MODEL = "boson/higgs-audio-v2.5"


@dataclass(frozen=True, slots=True)
class Office:
    """An organization, its owner, and one key."""

    organization: Organization
    owner: User
    key: ApiKey

    @property
    def actor(self) -> Actor:
        return Actor(user=self.owner)

    def join(self, email: str, role: str) -> User:
        """Another member."""
        user = person(email)
        Membership.objects.create(organization=self.organization, user=user, role=role)
        return user

    def path(self, rest: str = "") -> str:
        return f"/console/org_{self.organization.id.hex}/{rest}"


def person(email: str) -> User:
    """Somebody who has confirmed the address."""
    user = User.objects.create_user(email)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user


def office(name: str, credit: str = "1.00") -> Office:
    owner = person(f"owner@{name.lower()}.example")
    organization = organizations.create(name=name, owner_email=owner.email)
    if Decimal(credit):
        ledger.grant(organization=organization, amount=Decimal(credit), cause=f"welcome:{organization.id}")
    key, _ = keys.create(organization=organization, name="production")
    return Office(organization, owner, key)


def browser(user: User) -> Client:
    """Signed in, and asked for the password again just now, as what matters most demands."""
    client = Client()
    client.force_login(user)
    session = client.session
    session["account_authentication_methods"] = [
        {"method": "password", "at": time.time(), "reauthenticated": True}
    ]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()
    return client


def called(
    of: Office,
    *,
    at: datetime | None = None,
    key: ApiKey | None = None,
    frames: int = 50,
    voice: str = "alloy",
    status: int = 200,
    total_ms: int = 400,
    **more: Any,
) -> RequestLog:
    """A call as the log has it, and its bill if there was audio: it succeeded, or its client hung up (499)."""
    at = at or timezone.now()
    key = key or of.key
    spoken = status < 400 or status == 499
    job_id = _id_at(at) if spoken else None
    if job_id is not None:
        _bill(of, job_id, key, voice, frames, at)
    row = RequestLog(
        id=_id_at(at),
        created_at=at,
        organization_id=of.organization.id,
        api_key_id=key.id,
        job_id=job_id,
        method="POST",
        route="/v1/chat/completions",
        status=status,
        error_code="" if status < 400 else "client_closed" if spoken else "rate_limit_exceeded",
        model=MODEL,
        voice=voice,
        format="wav",
        characters=frames * 2,
        samples=frames * 960 if spoken else None,
        cost=Decimal("0.00003") * frames if spoken else None,
        queue_ms=12 if spoken else None,
        first_audio_ms=90 if spoken else None,
        synthesis_ms=total_ms - 40 if spoken else None,
        total_ms=total_ms,
        client_address="203.0.113.7",
        user_agent="OpenAI/Python 2.8.0",
    )
    for name, value in more.items():
        setattr(row, name, value)
    row.save(force_insert=True)
    return row


def forget_calls(of: Office) -> None:
    """Remove what `called` has written: its bills are not booked, which the proof of the books would find."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")  # no trigger: the tables only grow
        for model in (UsageRecord, RequestLog, UsageRollup):
            model.objects.filter(organization_id=of.organization.id).delete()


def waiting_job(of: Office, **columns: Any) -> SynthesisJob:
    """A job that nobody has claimed; no message of it was sent."""
    now = timezone.now()
    values = {"created_at": now, "enqueued_at": now, "deadline_at": now + timedelta(minutes=2), **columns}
    return SynthesisJob.objects.create(
        id=uuid4(),
        organization=of.organization,
        api_key=of.key,
        model=MODEL,
        voice="alloy",
        format="wav",
        text="What nobody else is to read.",
        sampling={},
        max_frames=25,
        **values,
    )


def _bill(of: Office, job_id: UUID, key: ApiKey, voice: str, frames: int, at: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO billing_usagerecord (job_id, organization_id, api_key_id, model, voice, samples,
                duration_ms, dollars_per_minute, cost, created_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, 0.045, %s, %s)
            """,
            (
                job_id,
                of.organization.id,
                key.id,
                MODEL,
                voice,
                frames * 960,
                frames * 40,
                frames * Decimal("0.00003"),
                at,
            ),
        )


def _id_at(at: datetime) -> UUID:
    """A UUIDv7 of that moment."""
    milliseconds = int(at.timestamp() * 1000)
    return UUID(f"{milliseconds:012x}{new_id().hex[12:]}")


def history(of: Office, days: int, calls_a_day: int) -> None:
    """Calls over the last days, more of them lately, of several voices and keys, a few refused."""
    staging, _ = keys.create(organization=of.organization, name="staging")
    voices = ("alloy", "nova", "sage", "verse")
    now = timezone.now()
    for day in range(days):
        for number in range(calls_a_day * (days - day) // days + day % 3):
            seed = day * 7919 + number * 104_729
            at = now - timedelta(days=day, minutes=seed % 600 + 1)
            called(
                of,
                at=at,
                key=staging if seed % 4 == 0 else of.key,
                frames=40 + seed % 700,
                voice=voices[seed // 7 % 4],
                status=429 if seed % 23 == 0 else 200,
                total_ms=220 + seed % 900,
            )
