"""One customer never starves another: whose job a free worker takes."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone

from accounts import keys, organizations
from accounts.identifiers import new_id
from accounts.models import ApiKey, Organization
from billing import ledger
from billing.models import Account, Price, Reservation
from inference import jobs
from inference.models import SynthesisJob, Worker
from tests import plans
from tests.conftest import Customer
from tests.gateway.speaking import scripted
from tests.inference.test_jobs import WORKER, claim
from tests.live import Service, wait_for

ENDED = ("succeeded", "failed", "cancelled", "expired")


# --- By the real service ---


SLOTS = 8
"""Of the service's worker."""


def test_500_jobs_of_one_customer_delay_another_by_one_job(service: Service, new_customer: Any) -> None:
    flooding, waiting = new_customer(credit="10"), new_customer()
    style = 'script: {"frames": 1, "pace": 1.0}'
    for _ in range(500):
        waiting_job(flooding.organization, flooding.key, style=style, max_frames=1)
    wait_for(lambda: of(flooding, state="running").count() == SLOTS, what="every slot is taken")
    assert post(service, waiting, scripted(1, max_completion_tokens=1)).status_code == 200
    mine = of(waiting).get()
    overtook = of(flooding, started_at__gt=mine.created_at, started_at__lt=mine.started_at).count()
    still_waiting = of(flooding, state="queued")
    assert still_waiting.count() >= 100, "the flood was still there"
    for job_id in still_waiting.values_list("id", flat=True):
        jobs.cancel(job_id)
    wait_for(lambda: not of(flooding, state__in=("queued", "running")).exists(), what="the flood's end")
    assert overtook <= SLOTS, "no more than those that began while the request was on its way"


def post(service: Service, customer: Customer, request: dict[str, Any]) -> httpx.Response:
    url = f"{service.url}/v1/chat/completions"
    return httpx.post(url, json=request, headers=customer.headers, timeout=60)


def of(customer: Customer, **filters: Any) -> Any:
    return SynthesisJob.objects.filter(organization=customer.organization, **filters)


def test_a_message_more_or_less_changes_nothing(service: Service, customer: Customer) -> None:
    """A doorbell that rings for nothing is harmless, and work whose bell was lost is found all the same."""
    from inference import doorbell

    for _ in range(20):
        doorbell.ring()
    assert post(service, customer, scripted(1)).status_code == 200
    silent = waiting_job(customer.organization, customer.key)
    wait_for(lambda: SynthesisJob.objects.filter(id=silent, state__in=ENDED).exists(), what="its end")
    job = SynthesisJob.objects.get(id=silent)
    assert (job.state, job.attempt) == ("succeeded", 1)


# --- The claim alone ---


def an_organization(name: str) -> tuple[Organization, ApiKey]:
    organization = organizations.create(name=name, owner_email=f"{name}@example.com")
    ledger.grant(organization=organization, amount=ledger.Decimal(1), cause=f"welcome {name}")
    return organization, keys.create(organization=organization, name="k")[0]


def waiting_job(organization: Organization, key: ApiKey, *, ago: float = 5, **values: Any) -> UUID:
    """A job as admission leaves it, `ago` seconds ago."""
    asked_at = timezone.now() - timedelta(seconds=ago)
    job = SynthesisJob.objects.create(
        **{
            "id": new_id(),
            "organization": organization,
            "api_key": key,
            "model": "boson/higgs-audio-v2.5",
            "voice": "alloy",
            "format": "wav",
            "text": "Hi.",
            "sampling": {},
            "max_frames": 100,
            "created_at": asked_at,
            "enqueued_at": asked_at,
            "deadline_at": timezone.now() + timedelta(seconds=60),
            **values,
        }
    )
    hold = ledger.Decimal("0.01")
    Account.objects.filter(organization=organization).update(held=F("held") + hold)
    price = Price.objects.get(organization=None, model="boson/higgs-audio-v2.5")
    Reservation.objects.create(job_id=job.id, organization=organization, amount=hold, price=price)
    return job.id


def claimed(times: int, *, at_once: bool) -> list[str]:
    """Whose jobs were claimed, one after the other; not `at_once`, each ends before the next is."""
    owners = []
    for _ in range(times):
        job = claim()
        assert job is not None
        owners.append(job.organization.name)
        # A transaction's clock stands still, so time is made to pass.
        SynthesisJob.objects.exclude(started_at=None).update(started_at=F("started_at") - timedelta(seconds=0.1))
        if not at_once:
            assert jobs.fail(job.id, job.attempt, error_code="engine_error")
    return owners


@pytest.mark.django_db
def test_who_has_fewest_running_is_next() -> None:
    for name, queued, ago in (("A", 6, 9), ("B", 2, 2), ("C", 1, 1)):
        organization, key = an_organization(name)
        for number in range(queued):
            waiting_job(organization, key, ago=ago - number / 100)
    assert claimed(9, at_once=True) == ["A", "B", "C", "A", "B", "A", "A", "A", "A"]
    assert claim() is None


@pytest.mark.django_db
def test_many_at_once_are_shared_as_one_by_one() -> None:
    for name, queued, ago in (("A", 6, 9), ("B", 2, 2), ("C", 1, 1)):
        organization, key = an_organization(name)
        for number in range(queued):
            waiting_job(organization, key, ago=ago - number / 100)
    alive()
    first = jobs.claim(worker=WORKER, limit=5)
    assert Counter(job.organization.name for job in first) == {"A": 2, "B": 2, "C": 1}
    assert len({job.id for job in first}) == 5
    rest = jobs.claim(worker=WORKER, limit=100)
    assert [job.organization.name for job in rest] == ["A"] * 4
    assert {(job.state, job.attempt, job.worker_id) for job in first + rest} == {("running", 1, WORKER)}


@pytest.mark.django_db
def test_a_worker_whose_lease_has_lapsed_takes_nothing() -> None:
    waiting_job(*an_organization("A"))
    assert jobs.claim(worker=WORKER, limit=1) == []
    alive()
    Worker.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    assert jobs.claim(worker=WORKER, limit=1) == []
    alive()
    assert len(jobs.claim(worker=WORKER, limit=1)) == 1


def alive() -> None:
    jobs.heartbeat(worker=WORKER, name="w", held=[])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("waiting", "order"),
    [
        (["flex", "default", "priority"], ["priority", "default", "flex"]),
        (["default"] * 5 + ["priority"] * 6, ["priority"] * 3 + ["priority", "default", "priority", "priority"]),
    ],
)
def test_a_tier_weighs(waiting: list[str], order: list[str]) -> None:
    """Each tier's jobs are another customer's, for within one customer a tier only orders what is its own."""
    customers = {tier: an_organization(tier) for tier in dict.fromkeys(waiting)}
    for number, tier in enumerate(waiting):
        waiting_job(*customers[tier], ago=9 - number / 100, service_tier=tier)
    owners = claimed(len(order), at_once=True)
    if len(set(waiting)) == 3:
        assert owners == order
    assert Counter(owners) == Counter(order)


@pytest.mark.django_db
def test_a_worker_that_speaks_one_at_a_time_takes_turns_too() -> None:
    for name, queued, ago in (("A", 5, 9), ("B", 3, 2)):
        organization, key = an_organization(name)
        for number in range(queued):
            waiting_job(organization, key, ago=ago - number / 100)
    owners = claimed(8, at_once=False)
    assert "".join(owners) == "ABABABAA"


@pytest.mark.django_db
def test_who_comes_anew_again_and_again_does_not_starve_who_waits() -> None:
    """Newcomers that have never been served are no reason to be passed over for ever."""
    organization, key = an_organization("A")
    waiting_job(organization, key, ago=9)
    waiting_job(organization, key, ago=8.9)
    owners = claimed(1, at_once=False)
    SynthesisJob.objects.exclude(started_at=None).update(started_at=timezone.now() - timedelta(seconds=5))
    for number in range(4):
        waiting_job(*an_organization(f"N{number}"), ago=4 - number / 10)
    assert owners + claimed(2, at_once=False) == ["A", "A", "N0"]


@pytest.mark.django_db
def test_within_an_organization_first_come_first_served() -> None:
    organization, key = an_organization("A")
    order = [waiting_job(organization, key, ago=ago) for ago in (5, 4, 3)]
    taken = [claim() for _ in order]
    assert [job.id for job in taken if job] == order


@pytest.mark.django_db
def test_what_nobody_may_speak_is_passed_over() -> None:
    organization, key = an_organization("A")
    waiting_job(organization, key, ago=9, deadline_at=timezone.now() - timedelta(seconds=1))
    waiting_job(organization, key, ago=8, cancel_requested_at=timezone.now())
    assert claim() is None
    good = waiting_job(*an_organization("B"), ago=1)
    job = claim()
    assert job is not None
    assert (job.id, job.attempt, job.state) == (good, 1, "running")


@pytest.mark.usefixtures("committed")
def test_claims_at_once_take_different_jobs(new_customer: Any) -> None:
    """While the turn's only job is in another's hands the next one's is taken: nobody waits for a lock."""
    first, second = new_customer(), new_customer()
    for _ in range(5):
        one = waiting_job(first.organization, first.key, ago=2)
        two = waiting_job(second.organization, second.key, ago=1)
        taken = locked_by_another(one)
        if all(jobs.cancel(job_id) for job_id in (one, two)) and taken is not None:
            break  # else the service's worker, which looks once a second, was first
    assert taken == two


def locked_by_another(job_id: UUID) -> UUID | None:
    """What is claimed while another connection holds the row of `job_id`; undone at once."""
    import psycopg
    from django.conf import settings
    from django.db import transaction

    parameters = settings.DATABASES["default"]
    with psycopg.connect(f"dbname={parameters['NAME']} user=postgres host={parameters['HOST']}") as other:
        other.execute("SELECT 1 FROM inference_synthesisjob WHERE id = %s FOR UPDATE", (job_id,))
        with transaction.atomic():
            job = claim()
            transaction.set_rollback(True)
        other.rollback()
    return job.id if job else None


@pytest.mark.django_db
def test_a_claim_costs_what_waits_for_its_turn_and_not_what_was() -> None:
    """Not the length of a queue and not the length of the past: what is read grows with neither.

    Indexes are deeper, and hold dead entries of other tests, so that some pages more are read. One for each job
    that waits would be two thousand.
    """
    few = pages_of_a_claim(queued=20, ended=20)
    many = pages_of_a_claim(queued=2_000, ended=20_000)
    assert many <= few + 200, f"{few} pages, then {many}"


def pages_of_a_claim(*, queued: int, ended: int) -> int:
    organization, key = an_organization(f"Q{queued}")
    template = waiting_job(organization, key)
    alive()
    with connection.cursor() as cursor:
        columns = [field.column for field in SynthesisJob._meta.local_concrete_fields]
        changed = {"id": "gen_random_uuid()", "created_at": "created_at + make_interval(secs => n)"}
        past = {"state": "'succeeded'", "text": "''", "started_at": "now() - make_interval(secs => n)",
                "finished_at": "now()"}  # fmt: skip
        for number, values in ((queued, changed), (ended, changed | past)):
            chosen = ", ".join(values.get(column, column) for column in columns)
            cursor.execute(
                f"INSERT INTO inference_synthesisjob ({', '.join(columns)}) SELECT {chosen} "  # noqa: S608
                "FROM inference_synthesisjob, generate_series(1, %s) AS n WHERE id = %s",
                (number, template),
            )
        cursor.execute("ANALYZE inference_synthesisjob")
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")  # what a worker's connection comes to
    own: Any = connection.connection
    own.prepare_threshold = 0
    try:
        with plans.watched() as seen:
            jobs.claim(worker=WORKER, limit=1)
    finally:
        own.prepare_threshold = None
        own.execute("SET LOCAL plan_cache_mode = auto")
    (plan,) = (each for each in seen if "SKIP LOCKED" in each.statement)
    return plan.blocks
