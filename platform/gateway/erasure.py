"""Deleting a customer or a person for good (GDPR, article 17): what is personal goes, the books stay.

An organization's row stays under a pseudonym, because ledger, usage and invoices name it: tax law wants them kept,
and an issued invoice keeps the name and the address that it was issued to. The request log keeps that something
was asked, and loses from where.
"""

from __future__ import annotations

import time
from datetime import timedelta
from uuid import UUID

import redis
from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import TextField
from django.db.models.functions import MD5, Cast, Coalesce, Now, Substr

from accounts.models import ApiKey, AuditEvent, Invitation, Membership, Organization, ServiceAccount, User, Visit
from accounts.organizations import Refused
from billing import erasure as billing_erasure
from gateway.batches import files
from gateway.models import BackgroundRequest, File, SpeechBatch
from inference import assets, cancellations, channel, custom_voices, jobs, pronunciations
from inference.models import AudioAsset, SynthesisJob
from usage.models import RequestLog

STOP_SECONDS = 15.0
"""How long jobs that are spoken may take to end; their workers notice within a second."""
_LIVE = (SynthesisJob.State.QUEUED, SynthesisJob.State.RUNNING)


def delete_organization(organization_id: UUID, *, by: User | None) -> None:
    """Delete a customer: keys, audio, voices, files, batches, texts, names, addresses and invitations, and the
    people who belong to no other organization. `by` is the owner, or None for the operator.

    Raises:
        Refused: there is none, it owes money, or what it has spoken now does not end.
    """
    organization = Organization.objects.filter(id=organization_id, deleted_at=None).first()
    if organization is None:
        raise Refused("There is no such organization.")
    billing_erasure.check(organization_id)
    _stop(organization_id)
    _purge_audio(organization_id)
    custom_voices.erase(organization_id)
    files.purge_all(organization_id)
    with transaction.atomic():
        members = list(User.objects.filter(memberships__organization=organization_id))
        Organization.objects.filter(id=organization_id).update(
            name=f"Deleted customer {organization_id.hex[-8:]}", deleted_at=Now()
        )
        Membership.objects.filter(organization=organization_id).delete()
        Invitation.objects.filter(organization=organization_id).delete()
        Visit.objects.filter(organization=organization_id).delete()
        ApiKey.objects.filter(organization=organization_id).update(
            name="deleted",
            public_id=Substr(MD5(Cast("id", TextField())), 1, 16),
            secret_hmac=b"",
            last_four="",
            allowed_addresses=[],
            playground_of=None,
        )
        ServiceAccount.objects.filter(organization=organization_id).update(
            name="deleted", deleted_at=Coalesce("deleted_at", Now())
        )
        SynthesisJob.objects.filter(organization=organization_id).update(idempotency_key="", fingerprint=None)
        pronunciations.delete_all(organization_id=organization_id)
        LogEntry.objects.filter(object_id=str(organization_id)).update(object_repr="deleted", change_message="")
        # Metadata and custom ids are the customer's own words.
        SpeechBatch.objects.filter(organization=organization_id).delete()
        File.objects.filter(organization=organization_id).delete()
        BackgroundRequest.objects.filter(organization=organization_id).delete()
        billing_erasure.erase(organization_id)
        RequestLog.objects.filter(organization_id=organization_id).update(client_address=None, user_agent="")
        AuditEvent.objects.filter(organization_id=organization_id).update(
            actor="", address=None, subject="", detail={}
        )
        _record(organization_id, AuditEvent.Action.ORGANIZATION_DELETED, by)
        for person in members:
            if not person.is_staff and not person.memberships.exists():
                _erase_person(person)


def delete_user(email: str, *, by: User | None) -> None:
    """Delete a person: the account, its sign-ins, sessions and memberships, and the name wherever it is written.

    Raises:
        Refused: there is nobody of that address, it is an operator's, or the person owns an organization.
    """
    person = User.objects.filter(email__iexact=email).first()
    if person is None:
        raise Refused("There is nobody with this e-mail address.")
    if person.is_staff:
        raise Refused("That is an operator's account: take its roles first (`manage.py operator`).")
    if owned := Organization.objects.filter(memberships__user=person, memberships__role=Membership.Role.OWNER):
        names = ", ".join(str(each.id) for each in owned)
        raise Refused(f"The person owns {names}: hand that over, or delete it, first.")
    with transaction.atomic():
        for organization_id in person.memberships.values_list("organization_id", flat=True):
            _record(organization_id, AuditEvent.Action.MEMBER_DELETED, by)
        _erase_person(person)


def _stop(organization_id: UUID) -> None:
    """Let nothing new in, end what is spoken, and wait until it has ended and is billed.

    Raises:
        Refused: it did not end; nothing else was done, and the organization is suspended.
    """
    Organization.objects.filter(id=organization_id).update(suspended_at=Coalesce("suspended_at", Now()))
    ApiKey.objects.filter(organization=organization_id).update(revoked_at=Coalesce("revoked_at", Now()))
    live = SynthesisJob.objects.filter(organization=organization_id, state__in=_LIVE)
    until = time.monotonic() + STOP_SECONDS
    time.sleep(1)  # a gateway believes a looked-up key for less than that
    while job_ids := list(live.values_list("id", flat=True)):
        for job_id in job_ids:
            if jobs.cancel(job_id):
                cancellations.announce_once(job_id)
        if time.monotonic() > until:
            raise Refused("Its running requests did not end. It is suspended now; try again in a minute.")
        time.sleep(0.2)


def _purge_audio(organization_id: UUID) -> None:
    """Delete stored audio and streams in Redis. A job without audio may have left a stream, too."""
    kept = AudioAsset.objects.filter(organization=organization_id, purged_at=None)
    for job_id in kept.values_list("job_id", flat=True):
        assets.purge(job_id)
    recent = SynthesisJob.objects.filter(
        organization=organization_id, finished_at__gt=Now() - timedelta(seconds=channel.TTL_SECONDS)
    ).values_list("id", flat=True)
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        for job_id in recent:
            client.delete(channel.key(job_id), channel.codes_key(job_id))


def _erase_person(person: User) -> None:
    addresses = {person.email, *EmailAddress.objects.filter(user=person).values_list("email", flat=True)}
    for address in addresses:
        Invitation.objects.filter(email__iexact=address).delete()
        AuditEvent.objects.filter(subject__iexact=address).update(subject="", detail={})
        billing_erasure.forget_address(address)
    AuditEvent.objects.filter(actor_id=person.pk).update(actor="", address=None)
    Visit.objects.filter(operator=person).delete()
    for session in Session.objects.iterator():
        if session.get_decoded().get("_auth_user_id") == str(person.pk):
            session.delete()
    person.delete()


def _record(organization_id: UUID, action: AuditEvent.Action, by: User | None) -> None:
    """Record the deletion with the requester's id only; 0 is the operator."""
    AuditEvent.objects.create(
        organization_id=organization_id, actor_id=by.pk if by else 0, actor="" if by else "operator", action=action
    )
