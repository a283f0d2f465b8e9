"""A customer with a past, and everything that runs by the clock or by request for such a customer."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from django.db import connection
from django.test import RequestFactory
from django.utils import timezone

from accounts import guesses, keys, organizations
from accounts.identifiers import new_id
from accounts.models import User
from billing import budgets, grants, ledger, partitions, reservations, selectors, verification
from billing.alerts import detection
from billing.invoices import closing, dunning
from billing.invoices import selectors as invoice_selectors
from billing.models import Reservation
from console import playground, statements
from gateway import metrics
from gateway.errors import ApiError
from gateway.speech import conversation, group_commit
from gateway.speech.conversation import EarlierTurn
from inference import assets, jobs, results, retention, turns
from inference.jobs import Held
from inference.jobs.ending import MAX_ATTEMPTS
from inference.models import AudioAsset, SynthesisJob, Worker
from operations import overview
from tests import history
from tests.inference.test_jobs import SPOKEN, WORKER, nothing
from tests.plans import Prepared, done
from usage import request_search, rollups, usage
from usage.request_search import Search
from webhooks import outbox

EMAIL = "past@example.com"


@dataclass(frozen=True, slots=True)
class Past:
    """A customer with a long history, and with little that is alive."""

    organization: Any
    key: Any
    fingerprint: UUID
    """What many jobs of the last day asked for."""
    ended: UUID
    queued: UUID
    running: UUID

    @property
    def span(self) -> dict[str, Any]:
        """The organization and the last 30 days."""
        midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
        start, end = midnight - timedelta(days=30), midnight + timedelta(days=1)
        return {"organization_id": self.organization.pk, "start": start, "end": end}


def make(*, email: str = EMAIL, jobs_alone: int, requests: int, asked_alike: int) -> Past:
    """A past of so many jobs, so many requests with all their rows, and so many jobs that asked for the same."""
    organization = organizations.create(name="A", owner_email=email)
    key, _ = keys.create(organization=organization, name="k")
    ledger.grant(organization=organization, amount=ledger.Decimal(100), cause=f"past:{email}")
    fingerprint = UUID(int=7)
    of: dict[str, Any] = {"organizations": [organization.pk], "keys": [key.pk]}
    history.make(jobs_alone, over=timedelta(days=90), tables=history.JOBS, **of)
    history.make(requests, over=timedelta(days=30), **of)
    history.make(asked_alike, over=timedelta(days=1), tables=history.JOBS, fingerprint=fingerprint, **of)
    ended = AudioAsset.objects.filter(organization=organization).latest("created_at").job_id
    queued, running = (_admit(organization, key) for _ in range(2))
    now = timezone.now()
    SynthesisJob.objects.filter(id=running).update(state="running", attempt=1, started_at=now, worker_id=WORKER)
    jobs.heartbeat(worker=WORKER, name="w", held=[])
    return Past(organization, key, fingerprint, ended, queued, running)


def _new_job(organization: Any, key: Any, **values: Any) -> jobs.NewJob:
    return jobs.NewJob(
        id=new_id(),
        organization_id=organization.pk,
        api_key_id=key.pk,
        model="boson/higgs-audio-v2.5",
        voice="alloy",
        format="wav",
        text="Hi.",
        style="",
        max_frames=50,
        deadline_seconds=600,
        kept_seconds=86_400,
        **values,
    )


def _admit(organization: Any, key: Any) -> UUID:
    """Hold the money and write the job, as the gateway does."""
    job = _new_job(organization, key, idempotency_key=str(new_id()))
    admission = group_commit.Admission(job, cap_ms=2000)
    [outcome] = done(group_commit.place(Prepared(), [admission]))  # type: ignore[arg-type]
    assert outcome.outcome == reservations.HELD
    return job.id


def _ask_again(past: Past, **values: Any) -> None:
    """Ask for a job that an earlier one may have been made for, by key or as a client's retry."""
    job = _new_job(past.organization, past.key, **values)
    admission = group_commit.Admission(job, cap_ms=2000, retried=True)
    done(group_commit.place(Prepared(), [admission]))  # type: ignore[arg-type]


def _member(past: Past) -> Any:
    return SimpleNamespace(
        organization=past.organization, user=User.objects.get(memberships__organization=past.organization)
    )


def _heartbeat(past: Past) -> None:
    held = [Held(past.running, 1, 5, 50)]
    jobs.heartbeat(worker=WORKER, name="w", held=held)
    jobs.first_audio(held)


def _late(past: Past) -> None:
    """The sweep ends one job that is late and one whose worker was lost too often."""
    later = timezone.now() - timedelta(minutes=1)
    SynthesisJob.objects.filter(id=past.queued).update(deadline_at=later)
    SynthesisJob.objects.filter(id=past.running).update(attempt=MAX_ATTEMPTS)
    Worker.objects.update(lease_expires_at=later)
    jobs.sweep(published=nothing)


def _overdue_holds(past: Past) -> None:
    SynthesisJob.objects.filter(id=past.running).update(attempt=1)
    Reservation.objects.filter(job_id=past.queued).update(expires_at=timezone.now())
    assert reservations.expire_overdue() == 1


def _finish(past: Past) -> None:
    assert jobs.finish(past.running, 1, SPOKEN) is not None
    assert assets.purge(past.running)


def _stored(past: Past) -> None:
    assert jobs.finish(past.running, 1, SPOKEN) is not None
    AudioAsset.objects.filter(job_id=past.running).update(expires_at=timezone.now())
    assert assets.purge_expired() == 1


def _summed_up(past: Past) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO gateway_rollupdue (organization_id, hour)
            SELECT %s, date_trunc('hour', now() - hours * interval '1 hour', 'UTC')
            FROM generate_series(0, 1) AS hours
            """,
            (past.organization.pk,),
        )
    assert rollups.refresh_all()


def _converse(past: Past) -> None:
    caller: Any = SimpleNamespace(organization_id=past.organization.pk)
    pool: Any = Prepared()
    with suppress(ApiError):  # that audio has expired
        done(conversation.check(pool, caller, [EarlierTurn(past.ended, "messages")]))


BY_THE_CLOCK: dict[str, Callable[[Past], object]] = {
    "heartbeat": lambda past: _heartbeat(past),
    "sweep": lambda past: jobs.sweep(published=nothing),
    "sweep of what is due": _late,
    "purge of audio": _stored,
    "purge of jobs": lambda past: retention.purge_jobs(),
    "purge of guesses": lambda past: guesses.purge(),
    "overdue holds": _overdue_holds,
    "expired grants": lambda past: grants.expire_due(),
    "alerts": lambda past: detection.fire_due(),
    "deliveries": lambda past: outbox.deliver_due(),
    "old deliveries": lambda past: outbox.purge_old(),
    # The customer's whole past is unclosed: that it is there is enough to know.
    "unclosed months": lambda past: closing.unclosed(before=timezone.now() - timedelta(days=1)),
    "dunning": lambda past: dunning.run(),
    "partitions": lambda past: partitions.ensure_partitions("billing_usagerecord"),
    "rollups": _summed_up,
    "recent proof": lambda past: verification.verify(since=timezone.now() - timedelta(minutes=2)),
    "metrics": lambda past: done(metrics._read_last_proof(_Service())) or done(metrics._read_stripe(_Service())),
    "overview": lambda past: overview.fill(RequestFactory().get("/"), {}),
}
BY_REQUEST: dict[str, Callable[[Past], object]] = {
    "key": lambda past: done(keys.look_up(Prepared(), past.key.public_id)),
    "use of a key": lambda past: done(keys.note_use(Prepared(), past.key.pk)),
    "credit": lambda past: done(reservations.nothing_left(Prepared(), past.organization.pk)),
    "idempotency key": lambda past: _ask_again(past, idempotency_key="k"),
    "fingerprint": lambda past: _ask_again(past, fingerprint=past.fingerprint),
    "join": lambda past: _ask_again(
        past, idempotency_key=SynthesisJob.objects.get(id=past.running).idempotency_key
    ),
    "conversation": _converse,
    "context": lambda past: turns.load(past.organization.pk, [past.ended]),
    "admission": lambda past: _admit(past.organization, past.key),
    "claim": lambda past: jobs.claim(worker=WORKER, limit=8),
    "end": _finish,
    "hang-up": lambda past: (jobs.leave(past.running, relayed_frames=5), jobs.abandon(past.running)),
    "cancelling": lambda past: (jobs.cancel(past.running), jobs.cut(past.running, 1, frames=0)),
    "result": lambda past: done(results.fetch(Prepared(), [past.ended])),
    "budgets": lambda past: budgets.status(organization_id=past.organization.pk, api_key_id=past.key.pk),
    "spent": lambda past: usage.spent(organization_id=past.organization.pk, api_key_id=past.key.pk),
    "/v1/usage": lambda past: (
        rollups.refresh(organization_id=past.organization.pk), usage.report(usage.Query(**past.span))
    ),
    "request log": lambda past: request_search.find(Search(organization_id=past.organization.pk)),
    "errors of the log": lambda past: request_search.find(
        Search(organization_id=past.organization.pk, outcome="failed")
    ),
    "statement": lambda past: statements.movements(
        organization_id=past.organization.pk, month=timezone.now().date()
    ),
    "movements": lambda past: invoice_selectors.movements(
        past.organization, start=past.span["start"], end=past.span["end"]
    ),
    "who has paid": lambda past: selectors.has_paid(past.organization),
    "playground": lambda past: list(playground.recent(_member(past))),
}  # fmt: skip


class _Service:
    """What `metrics` asks of the gateway's service."""

    def __init__(self) -> None:
        self.database = Prepared()
