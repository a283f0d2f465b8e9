"""Admission by group commit, on a real PostgreSQL: many in one statement, and each decided by itself."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from django.conf import settings
from django.utils import timezone
from psycopg_pool import AsyncConnectionPool

from accounts.identifiers import new_id
from billing import budgets, ledger, verification
from billing.models import Account, Budget, Reservation
from gateway.speech import group_commit
from gateway.speech.group_commit import Admission, AdmissionOutcome, Admissions
from inference import jobs
from inference.jobs import NewJob
from inference.models import SynthesisJob
from tests.conftest import Customer
from tests.environment import VAR_DIR
from tests.gateway.speaking import MODEL, body
from tests.live import Service

pytestmark = pytest.mark.usefixtures("committed")
FRAMES = 100
CAP = Decimal("0.003")
"""What FRAMES cost."""
T = TypeVar("T")


@pytest.fixture(scope="module")
def url(django_db_setup: None) -> str:
    database = settings.DATABASES["default"]
    return f"postgresql://postgres@/{database['NAME']}?host={database['HOST']}"


@pytest.fixture(autouse=True)
def nothing_is_left_waiting(committed: None) -> Iterator[None]:
    """A job that a test admits and nobody asks for is cancelled at its end, so that no worker speaks it."""
    yield
    for job_id in SynthesisJob.objects.filter(state="queued").values_list("id", flat=True):
        jobs.cancel(job_id)


def asked(customer: Customer, *, retried: bool = False, awaited: bool = False, **values: Any) -> Admission:
    job = NewJob(
        id=new_id(),
        organization_id=customer.organization.pk,
        api_key_id=customer.key.pk,
        **{
            "model": MODEL,
            "voice": "alloy",
            "format": "wav",
            "text": 'Größe “x” 😀 \\u0000 "',
            "style": "",
            "max_frames": FRAMES,
            "sampling": {"temperature": 0.7, "seed": 2**53},
            "voices": {"SPEAKER0": "alloy"},
            "speed": 1.1,
            "context": (uuid4(),),
            "deadline_seconds": 60,
            "kept_seconds": 86_400,
            **values,
        },
    )
    return Admission(job, FRAMES * 40, retried=retried, awaited=awaited)


def placed(url: str, *admissions: Admission, patient: bool = True) -> list[str]:
    """The outcomes of one statement."""

    async def run() -> list[AdmissionOutcome]:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as own:
            return await group_commit.place(own, admissions, patient=patient)

    return [outcome.outcome for outcome in asyncio.run(run())]


def with_pools(url: str, count: int, work: Callable[..., Awaitable[T]]) -> T:
    """What the work returns, which is given the admissions of so many gateways."""

    async def run() -> T:
        options = {"autocommit": True}
        pools = [AsyncConnectionPool(url, open=False, max_size=8, kwargs=options) for _ in range(count)]
        try:
            for pool in pools:
                await pool.open(wait=True)
            return await work(*(Admissions(pool) for pool in pools))
        finally:
            for pool in pools:
                await pool.close()

    return asyncio.run(run())


def test_workers_are_rung_once_for_what_is_admitted_together(
    url: str, new_customer: Callable[..., Customer]
) -> None:
    rich, poor = new_customer(credit="1.00"), new_customer(credit="0.00")
    rung = []

    async def ring() -> None:
        rung.append(True)

    async def run() -> None:
        async with AsyncConnectionPool(
            url, open=False, min_size=1, max_size=2, kwargs={"autocommit": True}
        ) as pool:
            admissions = Admissions(pool, ring)
            await admissions.admit(asked(poor))
            await asyncio.sleep(0)
            assert not rung, "nothing waits"
            outcomes = await asyncio.gather(*(admissions.admit(asked(rich)) for _ in range(20)))
            assert {each.outcome for each in outcomes} == {"held"}

    asyncio.run(run())
    assert len(rung) == 1


def held(customer: Customer) -> Decimal:
    amount: Decimal = Account.objects.get(organization=customer.organization).held
    return amount


def jobs_of(customer: Customer) -> set[UUID]:
    found = set(SynthesisJob.objects.filter(organization=customer.organization).values_list("id", flat=True))
    reserved = Reservation.objects.filter(organization=customer.organization).values_list("job_id", flat=True)
    assert found == set(reserved), "a job and its hold are there together or not at all"
    return found


def test_a_job_is_written_as_it_was_asked_for(url: str, customer: Customer) -> None:
    admission = asked(customer, streamed=True, fingerprint=uuid4(), idempotency_key="k")
    assert placed(url, admission) == ["held"]
    job, row = admission.job, SynthesisJob.objects.get(id=admission.job.id)
    for name in ("model", "voice", "format", "text", "style", "max_frames", "sampling", "voices", "speed"):
        assert getattr(row, name) == getattr(job, name), name
    assert (row.streamed, row.fingerprint, row.idempotency_key) == (True, job.fingerprint, "k")
    assert tuple(row.context) == job.context
    assert (row.state, row.deadline_at - row.created_at) == ("queued", timedelta(seconds=60))
    assert held(customer) == CAP


@pytest.mark.parametrize(("awaited", "waits"), [([True, True], "off"), ([True, False], "on")])
def test_a_commit_waits_for_the_disk_where_somebody_does_not_wait_for_its_job(
    url: str, customer: Customer, awaited: list[bool], waits: str
) -> None:
    async def run() -> str:
        async with await psycopg.AsyncConnection.connect(url) as own:
            await group_commit.place(own, [asked(customer, awaited=each) for each in awaited])
            [setting] = await (await own.execute("SHOW synchronous_commit")).fetchone() or ()
            await own.rollback()
            return str(setting)

    assert asyncio.run(run()) == waits


def test_each_of_a_statement_is_decided_by_itself(url: str, new_customer: Callable[..., Customer]) -> None:
    rich, poor, suspended, bound, none = (new_customer(credit) for credit in ("1", "0.005", "1", "1", "0.001"))
    Account.objects.filter(organization=suspended.organization).update(suspended_at=timezone.now())
    budgets.put(organization=bound.organization, period=Budget.Period.DAY, amount=2 * CAP)
    fingerprint = uuid4()
    assert placed(url, asked(rich, idempotency_key="k", fingerprint=fingerprint)) == ["held"]
    outcomes = placed(
        url,
        asked(poor),
        asked(rich),
        asked(suspended),
        asked(bound),
        asked(rich, model="no such"),
        asked(poor),
        asked(bound),
        asked(none),
        asked(rich, idempotency_key="k", fingerprint=fingerprint),
        asked(rich, idempotency_key="k", fingerprint=uuid4()),
        asked(bound),
        asked(rich),
    )
    assert outcomes == [
        "held", "held", "suspended", "held", "price", "credit", "held",
        "credit", "joined", "reused", "budget", "held",
    ]  # fmt: skip
    assert [len(jobs_of(each)) for each in (rich, poor, suspended, bound, none)] == [3, 1, 0, 2, 0]
    assert [held(each) / CAP for each in (rich, poor, suspended, bound, none)] == [3, 1, 0, 2, 0]
    assert SynthesisJob.objects.get(organization=rich.organization, idempotency_key="k").listeners == 2
    assert verification.verify().clean


def test_jobs_of_a_statement_keep_their_order(url: str, customer: Customer) -> None:
    admissions = [asked(customer) for _ in range(20)]
    placed(url, *admissions)
    by_time = SynthesisJob.objects.filter(organization=customer.organization).order_by("created_at")
    assert [job.id for job in by_time] == [each.job.id for each in admissions]


def test_two_of_a_statement_with_one_key_are_one_job(url: str, customer: Customer) -> None:
    assert placed(url, *(asked(customer, idempotency_key="k") for _ in range(2))) == ["held", "busy"]

    async def ask(admissions: Admissions) -> list[AdmissionOutcome]:
        twins = [asked(customer, idempotency_key="other") for _ in range(16)]
        return await asyncio.gather(*(admissions.admit(each) for each in twins))

    assert Counter(each.outcome for each in with_pools(url, 1, ask)) == {"held": 1, "joined": 15}
    assert len(jobs_of(customer)) == 2


def test_two_gateways_with_one_key_make_one_job(url: str, customer: Customer) -> None:
    async def ask(*gateways: Admissions) -> list[AdmissionOutcome]:
        return await asyncio.gather(
            *(each.admit(asked(customer, idempotency_key=f"k{n}")) for n in range(20) for each in gateways)
        )

    assert Counter(each.outcome for each in with_pools(url, 3, ask)) == {"held": 20, "joined": 40}
    assert len(jobs_of(customer)) == 20


def test_a_row_that_breaks_a_rule_fails_alone(url: str, customer: Customer) -> None:
    broken = asked(customer)
    broken = replace(broken, job=replace(broken.job, api_key_id=uuid4()))

    async def ask(admissions: Admissions) -> list[Any]:
        mixed = [asked(customer), broken, asked(customer), asked(customer, text="NUL \0")]
        return await asyncio.gather(*(admissions.admit(each) for each in mixed), return_exceptions=True)

    first, second, third, fourth = with_pools(url, 1, ask)
    assert (first.outcome, third.outcome) == ("held", "held")
    assert isinstance(second, psycopg.errors.ForeignKeyViolation)
    assert isinstance(fourth, psycopg.DataError)
    assert (len(jobs_of(customer)), held(customer)) == (2, 2 * CAP)


def test_a_locked_account_holds_up_nobody_else(
    url: str, customer: Customer, new_customer: Callable[..., Customer]
) -> None:
    others = [new_customer() for _ in range(3)]
    lock = "SELECT FROM billing_account WHERE organization_id = %s FOR UPDATE"

    async def ask(admissions: Admissions) -> list[str]:
        async with await psycopg.AsyncConnection.connect(url) as holder:
            await holder.execute(lock, (customer.organization.pk,))
            waiting = [asyncio.create_task(admissions.admit(asked(customer))) for _ in range(5)]
            async with asyncio.timeout(5):
                await asyncio.gather(*(admissions.admit(asked(each)) for each in others))
            assert not any(task.done() for task in waiting)
            await holder.rollback()
        return [outcome.outcome for outcome in await asyncio.gather(*waiting)]

    assert with_pools(url, 1, ask) == ["held"] * 5
    assert len(jobs_of(customer)) == 5


def test_gateways_that_want_the_same_accounts_do_not_deadlock(
    url: str, new_customer: Callable[..., Customer]
) -> None:
    """Several organizations with credit for 20 jobs each, three gateways, and settlements in between."""
    customers = [new_customer(str(20 * CAP)) for _ in range(4)]

    async def ask(*gateways: Admissions) -> list[AdmissionOutcome]:
        async def one(gateway: Admissions, customer: Customer) -> AdmissionOutcome:
            admission = asked(customer)
            outcome = await gateway.admit(admission)
            if outcome.outcome == "held":
                await asyncio.to_thread(ledger.void, job_id=admission.job.id)
                return await gateway.admit(asked(customer))
            return outcome

        asks = [(gateway, customer) for _ in range(20) for customer in customers for gateway in gateways]
        return await asyncio.gather(*(one(*each) for each in asks))

    outcomes = with_pools(url, 3, ask)
    assert {each.outcome for each in outcomes} <= {"held", "credit"}
    for customer in customers:
        pending = Reservation.objects.filter(organization=customer.organization, state="pending").count()
        assert held(customer) == pending * CAP
        assert pending <= 20
    assert verification.verify().clean


def test_a_refusal_is_no_error_of_postgresqls(
    service: Service, customer: Customer, new_customer: Callable[..., Customer]
) -> None:
    log = Path(VAR_DIR) / "logs" / "postgres.log"
    before = log.stat().st_size
    poor, suspended, bound = new_customer("0"), new_customer(), new_customer()
    Account.objects.filter(organization=suspended.organization).update(suspended_at=timezone.now())
    budgets.put(organization=bound.organization, period=Budget.Period.DAY, amount=Decimal(0))

    def post(who: Customer, text: str = "Hi.", **headers: str) -> tuple[int, str]:
        url = f"{service.url}/v1/chat/completions"
        answer = httpx.post(url, json=body(text), headers={**who.headers, **headers}, timeout=30)
        return answer.status_code, answer.json().get("error", {}).get("code", "")

    key = {"idempotency-key": "k"}
    assert post(customer, **key) == (200, "")
    assert [post(poor), post(suspended), post(bound), post(customer, "Ho.", **key)] == [
        (429, "insufficient_quota"),
        (429, "billing_not_active"),
        (429, "budget_exceeded"),
        (422, "idempotency_key_reused"),
    ]
    assert b"ERROR" not in log.read_bytes()[before:]
