"""The life of a job: every move once, by whoever holds its attempt number."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts import keys, organizations
from accounts.identifiers import new_id
from billing import ledger
from billing.models import Account, Price, Reservation, UsageRecord
from inference import jobs, results
from inference.models import AudioAsset, LostAttempt, SynthesisJob, Worker

pytestmark = pytest.mark.django_db

SPOKEN = jobs.SpokenJob(
    engine_model="test",
    finish_reason="stop",
    prompt_tokens=1,
    frames=25,
    audio_frames=25,
    transcript="Hi.",
    path="x/y.wav",
    content_type="audio/wav",
    size=48_044,
    first_audio_ms=1,
    synthesis_ms=2,
    encode_ms=1,
)

WORKER = UUID(int=1)


def nothing(job_id: UUID) -> int:
    """No stream shows any audio of it."""
    return 0


@pytest.fixture
def queued() -> UUID:
    """A job as admission leaves it: money held, nobody on it."""
    organization = organizations.create(name="A", owner_email="a@example.com")
    key, _ = keys.create(organization=organization, name="k")
    ledger.grant(organization=organization, amount=ledger.Decimal(1), cause="welcome")
    now = timezone.now()
    job = SynthesisJob.objects.create(
        id=new_id(),
        organization=organization,
        api_key=key,
        model="boson/higgs-audio-v2.5",
        voice="alloy",
        format="wav",
        text="Hi.",
        style="Softly.",
        sampling={},
        max_frames=50,
        streamed=True,
        created_at=now,
        enqueued_at=now,
        deadline_at=now + timedelta(seconds=60),
    )
    Account.objects.filter(organization=organization).update(held=ledger.Decimal("0.5"))
    Reservation.objects.create(
        job_id=job.id,
        organization=organization,
        amount=ledger.Decimal("0.5"),
        price=Price.objects.get(organization=None, model="boson/higgs-audio-v2.5"),
    )
    return job.id


def job(job_id: UUID) -> SynthesisJob:
    return SynthesisJob.objects.get(id=job_id)


def change(job_id: UUID, **values: Any) -> None:
    SynthesisJob.objects.filter(id=job_id).update(**values)


def claim(worker: UUID = WORKER) -> SynthesisJob | None:
    """The job whose turn it is, claimed by a worker that lives."""
    if not Worker.objects.filter(id=worker, lease_expires_at__gt=timezone.now()).exists():
        jobs.heartbeat(worker=worker, name="w", held=[])
    return next(iter(jobs.claim(worker=worker, limit=1)), None)


def beat(*held: jobs.Held, worker: UUID = WORKER) -> set[tuple[UUID, int]]:
    """A worker's heartbeat: the jobs that are still its own."""
    kept = jobs.heartbeat(worker=worker, name="w", held=held).wanted
    jobs.first_audio(each for each in held if each.frames)
    return kept


def lapse(job_id: UUID) -> None:
    """Its worker's heartbeats stop."""
    of_job = Worker.objects.filter(id=job(job_id).worker_id)
    assert of_job.update(lease_expires_at=timezone.now() - timedelta(seconds=1))


def rows(model: type[UsageRecord | AudioAsset | LostAttempt], job_id: UUID) -> QuerySet[Any]:
    """What the table has of the job."""
    return model._default_manager.filter(job_id=job_id)


def held(job_id: UUID) -> Any:
    return Account.objects.get(organization=job(job_id).organization_id).held


def test_a_job_is_claimed_once(queued: UUID) -> None:
    claimed = claim()
    assert claimed is not None
    assert (claimed.state, claimed.attempt) == ("running", 1)
    assert claim() is None


def test_finishing_bills_stores_and_forgets_the_text(queued: UUID) -> None:
    claim()
    result = jobs.finish(queued, 1, SPOKEN)
    assert result is not None
    assert (result.state, result.samples) == ("succeeded", 24_000)
    assert result.receipt == {"cost_usd": "0.000750000"}
    assert jobs.finish(queued, 1, SPOKEN) is None
    assert (job(queued).text, job(queued).style) == ("", "")
    assert (rows(UsageRecord, queued).count(), rows(AudioAsset, queued).count(), held(queued)) == (1, 1, 0)


def test_a_worker_that_was_thought_dead_changes_nothing(queued: UUID) -> None:
    claim()
    lapse(queued)
    assert jobs.sweep(published=nothing) == [queued]
    second = claim()
    assert second is not None
    assert second.attempt == 2
    assert jobs.finish(queued, 1, SPOKEN) is None
    assert beat(jobs.Held(queued, 1, 0, 50)) == set()
    assert not jobs.give_back(queued, 1, frames=0)
    assert not jobs.fail(queued, 1, error_code="engine_error")
    assert (job(queued).state, job(queued).attempt) == ("running", 2)
    assert not rows(AudioAsset, queued).exists()
    assert jobs.finish(queued, 2, SPOKEN) is not None
    (lost,) = rows(LostAttempt, queued).values("job", "attempt", "cause")
    assert lost == {"job": queued, "attempt": 1, "cause": "worker_lost"}


def test_a_heartbeat_keeps_the_lease(queued: UUID) -> None:
    claim()
    lapse(queued)
    assert beat(jobs.Held(queued, 1, 0, 50)) == {(queued, 1)}
    assert jobs.sweep(published=nothing) == []


def test_three_lost_workers_fail_the_job_free_of_charge(queued: UUID) -> None:
    for _ in range(2):
        claim()
        lapse(queued)
        assert jobs.sweep(published=nothing) == [queued]
    claim()
    lapse(queued)
    assert jobs.sweep(published=nothing) == []
    assert (job(queued).state, job(queued).error_code) == ("failed", "worker_lost")
    assert held(queued) == 0
    assert not rows(UsageRecord, queued).exists()


def test_three_broken_attempts_fail_the_job(queued: UUID) -> None:
    for attempt, requeued in ((1, True), (2, True), (3, False)):
        claim()
        assert jobs.give_back(queued, attempt, frames=0) is requeued
    lost = rows(LostAttempt, queued).values_list("attempt", "cause")
    assert [*lost] == [(1, "engine_error"), (2, "engine_error")]
    assert (job(queued).state, job(queued).error_code, held(queued)) == ("failed", "engine_error", 0)


def test_a_job_that_is_taken_back_is_spoken_by_the_next_worker_alone(queued: UUID) -> None:
    claim()
    assert jobs.requeue(queued)
    assert (job(queued).state, rows(LostAttempt, queued).get().cause) == ("queued", "taken_back")
    assert jobs.requeue(queued), "its message is sent again"
    assert jobs.finish(queued, 1, SPOKEN) is None
    assert beat(jobs.Held(queued, 1, 0, 50)) == set()
    second = claim()
    assert second is not None
    assert jobs.finish(queued, second.attempt, SPOKEN) is not None
    assert not jobs.requeue(queued)
    assert rows(LostAttempt, queued).count() == rows(UsageRecord, queued).count() == 1


@pytest.mark.parametrize("of", ["cancelled", "late"])
def test_a_job_without_a_future_is_not_requeued(queued: UUID, of: str) -> None:
    claim()
    moment = timezone.now()
    change(queued, **({"cancel_requested_at": moment} if of == "cancelled" else {"deadline_at": moment}))
    assert not jobs.requeue(queued)
    assert (job(queued).state, rows(LostAttempt, queued).count()) == ("running", 0)


@pytest.mark.parametrize("claimed", [False, True])
def test_past_its_deadline_a_job_expires(queued: UUID, claimed: bool) -> None:
    if claimed:
        claim()
    change(queued, deadline_at=timezone.now() - timedelta(seconds=1))
    if not claimed:
        assert claim() is None
    assert jobs.sweep(published=nothing) == []
    assert (job(queued).state, job(queued).text, held(queued)) == ("expired", "", 0)


def test_a_queued_job_is_cancelled_at_once(queued: UUID) -> None:
    assert jobs.cancel(queued)
    assert not jobs.cancel(queued)
    assert claim() is None
    assert (job(queued).state, held(queued)) == ("cancelled", 0)
    assert not rows(UsageRecord, queued).exists()


@pytest.mark.parametrize(("frames", "cost"), [(0, None), (10, "0.000300000")])
def test_a_running_job_is_cut_by_its_worker_and_billed_to_the_cut(
    queued: UUID, frames: int, cost: str | None
) -> None:
    claim()
    assert jobs.cut(queued, 1, frames=frames) is None, "nobody has cancelled it"
    assert jobs.cancel(queued)
    assert not jobs.cancel(queued)
    assert beat(jobs.Held(queued, 1, 0, 50)) == set()
    result = jobs.cut(queued, 1, frames=frames)
    assert result is not None
    assert (result.state, result.samples) == ("cancelled", frames * 960)
    assert result.receipt == ({"cost_usd": cost} if cost else {})
    assert jobs.cut(queued, 1, frames=frames) is None
    assert (job(queued).state, held(queued)) == ("cancelled", 0)
    assert rows(UsageRecord, queued).count() == (1 if cost else 0)


def test_who_finishes_before_the_cut_is_noticed_is_billed_in_full(queued: UUID) -> None:
    claim()
    jobs.cancel(queued)
    assert jobs.finish(queued, 1, SPOKEN) is not None
    assert jobs.cut(queued, 1, frames=3) is None
    assert rows(UsageRecord, queued).get().samples == 24_000


@pytest.mark.parametrize("end", ["lapse", "give back"])
def test_a_cancelled_job_is_not_tried_again(queued: UUID, end: str) -> None:
    claim()
    jobs.cancel(queued)
    if end == "lapse":
        lapse(queued)
        assert jobs.sweep(published=nothing) == []
    else:
        assert not jobs.give_back(queued, 1, frames=0)
    assert (job(queued).state, held(queued)) == ("cancelled", 0)


def test_the_last_listener_to_leave_cancels(queued: UUID) -> None:
    change(queued, listeners=2)
    jobs.leave(queued, relayed_frames=0)
    assert not jobs.abandon(queued)
    assert job(queued).state == "queued"
    jobs.leave(queued, relayed_frames=0)
    assert jobs.abandon(queued)
    assert not jobs.abandon(queued)
    assert job(queued).state == "cancelled"


# What a job that does not end well is billed: what was delivered of it.


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("end", ["late", "broken", "lost", "cancelled"])
def test_what_was_delivered_is_billed_whatever_the_end(queued: UUID, end: str, streamed: bool) -> None:
    change(queued, streamed=streamed)
    for attempt in (1, 2, 3):
        claim()
        beat(jobs.Held(queued, attempt, 10, 50))
        if attempt == 3:
            break
        assert jobs.give_back(queued, attempt, frames=20)
    match end:
        case "late":
            change(queued, deadline_at=timezone.now() - timedelta(seconds=1))
            assert jobs.expire(queued)
        case "broken":
            assert not jobs.give_back(queued, 3, frames=15)
        case "lost":
            lapse(queued)
            assert jobs.sweep(published=lambda job_id: 12) == []
        case "cancelled":
            jobs.cancel(queued)
            jobs.cut(queued, 3, frames=15)
    frames = 20 if streamed else 0  # the attempt that got furthest
    assert (job(queued).finished_at is not None, job(queued).samples, held(queued)) == (True, frames * 960, 0)
    assert [*rows(UsageRecord, queued).values_list("duration_ms", flat=True)] == ([800] if streamed else [])
    assert job(queued).receipt == ({"cost_usd": "0.000600000"} if streamed else {})


def test_what_a_lost_worker_told_is_billed_though_its_stream_is_lost(queued: UUID) -> None:
    for attempt, frames in ((1, 10), (2, 0), (3, 7)):
        claim()
        beat(jobs.Held(queued, attempt, frames, 50))
        lapse(queued)
        jobs.sweep(published=nothing)
    assert (job(queued).state, job(queued).samples, job(queued).published_samples) == ("failed", 9_600, 9_600)


def test_the_row_of_a_lapsed_worker_goes_when_it_has_left_no_job(queued: UUID) -> None:
    claim()
    for row in (WORKER, UUID(int=2)):
        jobs.heartbeat(worker=row, name="w", held=[jobs.Held(queued, 1, 0, 50)] if row == WORKER else [])
    Worker.objects.update(lease_expires_at=timezone.now() - timedelta(minutes=2))
    Worker.objects.filter(id=WORKER).update(lease_expires_at=timezone.now())  # within the minute
    jobs.sweep(published=nothing)
    assert [*Worker.objects.values_list("id", flat=True)] == [WORKER]


def test_a_claim_whose_answer_was_lost_is_noticed(queued: UUID) -> None:
    claim()
    kept = jobs.heartbeat(worker=WORKER, name="w", held=[])
    assert (kept.wanted, kept.unknown) == (set(), {(queued, 1)})
    assert jobs.take_back(Q(), queued, 1, published=nothing)
    assert (job(queued).state, rows(LostAttempt, queued).get().cause) == ("queued", "worker_lost")
    assert not jobs.take_back(Q(), queued, 1, published=nothing)


def test_who_hangs_up_is_billed_what_he_was_handed(queued: UUID) -> None:
    claim()
    jobs.leave(queued, relayed_frames=7)
    assert jobs.finish(queued, 1, SPOKEN) is None, "he may come again"
    assert jobs.is_left(queued, 1)
    result = jobs.cut(queued, 1, frames=40)
    assert result is not None
    assert (result.samples, result.receipt) == (7 * 960, {"cost_usd": "0.000210000"})


def test_nobody_is_billed_beyond_the_cap_whatever_a_worker_says(queued: UUID) -> None:
    claim()
    jobs.cancel(queued)
    result = jobs.cut(queued, 1, frames=1_000)
    assert result is not None
    assert (result.samples, held(queued)) == (50 * 960, 0)


def test_a_job_that_cannot_be_ended_holds_up_no_other(queued: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    late = timezone.now() - timedelta(seconds=1)
    monkeypatch.setattr("inference.jobs.ending.settlement", refuse)
    change(queued, deadline_at=late)
    assert jobs.sweep(published=nothing) == []
    assert job(queued).state == "queued"


def test_the_deadline_is_for_the_first_audio(queued: UUID) -> None:
    claim()
    beat(jobs.Held(queued, 1, 0, 50))
    first = job(queued).deadline_at
    beat(jobs.Held(queued, 1, 1, 50))
    second = job(queued).deadline_at
    assert second - timezone.now() == pytest.approx(timedelta(seconds=44), abs=timedelta(seconds=5))
    assert second != first
    beat(jobs.Held(queued, 1, 2, 50))
    assert job(queued).deadline_at == second


def test_the_database_refuses_a_bill_for_audio_that_never_left(queued: UUID) -> None:
    change(queued, streamed=False)
    jobs.cancel(queued)
    with pytest.raises(IntegrityError, match="job_bills_what_was_delivered"), transaction.atomic():
        change(queued, samples=960)


def test_the_database_keeps_no_text_of_an_ended_job(queued: UUID) -> None:
    jobs.cancel(queued)
    with pytest.raises(IntegrityError, match="job_ended_keeps_no_text"), transaction.atomic():
        change(queued, text="Hi.")


def refuse(job: SynthesisJob) -> dict[str, Any]:
    raise RuntimeError("no money today")


def test_a_claim_that_began_before_the_admission_that_it_found_was_not_waited_for(queued: UUID) -> None:
    assert claim() is not None
    change(queued, started_at=job(queued).created_at - timedelta(milliseconds=5))
    assert results.of(job(queued)).queue_ms == 0
