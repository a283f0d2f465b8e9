"""Jobs that end at once are settled together, each once; one that is wrong holds up no other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import psycopg
import pytest
from django.conf import settings
from django.db import DataError, IntegrityError, connection, transaction
from django.utils import timezone

from accounts import keys, organizations
from accounts.identifiers import new_id
from accounts.models import Organization
from billing import ledger, verification
from billing.models import Account, LedgerEntry, Price, Reservation, UsageRecord
from inference import jobs
from inference.jobs import finishing
from inference.models import AudioAsset, SynthesisJob
from inference.results import Result
from tests.inference.test_jobs import SPOKEN
from tests.live import wait_for

pytestmark = pytest.mark.usefixtures("committed")

COST = Decimal("0.00075")
"""Of a second."""


def running_jobs(count: int, *, organization: Organization | None = None) -> list[UUID]:
    """Jobs of one organization as their worker has them, with money held for each."""
    organization = organization or new_organization()
    key, _ = keys.create(organization=organization, name="k")
    now = timezone.now()
    made = [new_id() for _ in range(count)]
    with transaction.atomic():
        account = Account.objects.select_for_update().get(organization=organization)
        Account.objects.filter(pk=account.pk).update(held=account.held + count * 2 * COST)
        for job_id in made:
            Reservation.objects.create(
                job_id=job_id,
                organization=organization,
                amount=2 * COST,
                price=Price.objects.get(organization=None, model="boson/higgs-audio-v2.5"),
            )
            SynthesisJob.objects.create(
                id=job_id, organization=organization, api_key=key, model="boson/higgs-audio-v2.5", voice="alloy",
                format="wav", text="Hi.", sampling={}, max_frames=50, state="running", attempt=1, created_at=now,
                enqueued_at=now, deadline_at=now + timedelta(seconds=60), started_at=now,
                worker_id=new_id(),
            )  # fmt: skip
    return made


def new_organization() -> Organization:
    organization = organizations.create(name="A", owner_email=f"{new_id().hex}@example.com")
    ledger.grant(organization=organization, amount=Decimal("0.01"), cause=f"given:{organization.pk}")
    ledger.top_up(organization=organization, amount=Decimal(1), cause=f"paid:{organization.pk}")
    return organization


@contextmanager
def locked_account(job_id: UUID) -> Iterator[None]:
    """Nobody else can settle a job of this one's organization."""
    own = settings.DATABASES["default"]
    with psycopg.connect(f"postgresql://postgres@/{own['NAME']}?host={own['HOST']}") as elsewhere:
        elsewhere.execute(
            """
            SELECT FROM billing_account WHERE organization_id =
                (SELECT organization_id FROM inference_synthesisjob WHERE id = %s) FOR UPDATE
            """,
            (job_id,),
        )
        yield
        elsewhere.rollback()


def finish(job_id: UUID, attempt: int = 1, *, spoken: jobs.SpokenJob = SPOKEN) -> Result | None:
    try:
        return jobs.finish(job_id, attempt, spoken)
    finally:
        connection.close()


@contextmanager
def behind(first: UUID) -> Iterator[ThreadPoolExecutor]:
    """Threads for what is finished while the settlement of `first` is under way, which ends with the block."""
    with ThreadPoolExecutor(32) as threads:
        with locked_account(first):
            waits = threads.submit(finish, first)
            wait_for(lambda: finishing._together._busy and not finishing._together._waiting)
            yield threads
        assert waits.result(10) is not None


def wait_for_waiting(count: int) -> None:
    wait_for(lambda: len(finishing._together._waiting) == count, what=f"{count} jobs wait")


def transactions(job_ids: Sequence[UUID]) -> int:
    """How many transactions wrote the jobs' usage records and assets."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(DISTINCT xmin::text) FROM (
                SELECT xmin FROM billing_usagerecord WHERE job_id = ANY (%(ids)s)
                UNION ALL SELECT xmin FROM inference_audioasset WHERE job_id = ANY (%(ids)s)
            ) AS written
            """,
            {"ids": list(job_ids)},
        )
        return int(cursor.fetchone()[0])


def test_what_ends_while_a_settlement_is_under_way_is_settled_together() -> None:
    first, *others = running_jobs(9)
    more = running_jobs(4)
    with behind(first) as threads:
        ends = [threads.submit(finish, job_id) for job_id in (*others, *more)]
        wait_for_waiting(12)
    results = [end.result(10) for end in ends]
    assert [result.receipt for result in results if result] == [{"cost_usd": "0.000750000"}] * 12
    assert transactions([first]) == transactions([*others, *more]) == 1
    for job_ids in ([first, *others], more):
        account = Account.objects.get(
            organization__in=SynthesisJob.objects.filter(id__in=job_ids).values("organization")
        )
        assert (account.balance, account.held) == (Decimal("1.01") - len(job_ids) * COST, 0)
        assert UsageRecord.objects.filter(job_id__in=job_ids).count() == len(job_ids)
        assert AudioAsset.objects.filter(job_id__in=job_ids).count() == len(job_ids)
        assert {*SynthesisJob.objects.filter(id__in=job_ids).values_list("state", "text")} == {("succeeded", "")}
    given = LedgerEntry.objects.filter(transaction__in=[first, *others], account="promotional_credit")
    assert sum(given.values_list("amount", flat=True)) == -9 * COST
    assert verification.verify().clean


def test_one_that_cannot_be_billed_holds_up_no_other() -> None:
    """It costs more than its hold, so that it has no receipt, without which no asset is kept."""
    first, poisoned, *others = running_jobs(10)
    Reservation.objects.filter(job_id=poisoned).update(amount=COST / 2)
    Account.objects.filter(organization=SynthesisJob.objects.get(id=poisoned).organization).update(
        held=9 * 2 * COST + COST / 2
    )
    with behind(first) as threads:
        bad = threads.submit(finish, poisoned)
        ends = [threads.submit(finish, job_id) for job_id in others]
        wait_for_waiting(9)
    assert all(end.result(10) for end in ends)
    with pytest.raises(IntegrityError, match="receipt"):
        bad.result(10)
    job = SynthesisJob.objects.get(id=poisoned)
    assert (job.state, job.text) == ("running", "Hi.")
    assert not AudioAsset.objects.filter(job_id=poisoned).exists()
    assert transactions(others) < len(others)
    jobs.cancel(poisoned)
    jobs.cut(poisoned, 1, frames=0)
    assert verification.verify().clean


def test_one_whose_asset_is_refused_holds_up_no_other() -> None:
    first, poisoned, *others = running_jobs(5)
    with behind(first) as threads:
        bad = threads.submit(finish, poisoned, spoken=replace(SPOKEN, path="x" * 300))
        ends = [threads.submit(finish, job_id) for job_id in others]
        wait_for_waiting(4)
    assert all(end.result(10) for end in ends)
    with pytest.raises(DataError):
        bad.result(10)
    assert SynthesisJob.objects.get(id=poisoned).state == "running"
    assert Reservation.objects.get(job_id=poisoned).state == "pending"
    jobs.cancel(poisoned)
    jobs.cut(poisoned, 1, frames=0)
    assert verification.verify().clean


def test_one_that_is_no_longer_ours_is_not_written_beside_the_others() -> None:
    first, lost, left, twice, *others = running_jobs(8)
    SynthesisJob.objects.filter(id=lost).update(attempt=2)
    jobs.leave(left, relayed_frames=0)
    SynthesisJob.objects.filter(id=twice).update(attempt=2)
    with behind(first) as threads:
        ends = {
            (job_id, attempt): threads.submit(finish, job_id, attempt)
            for job_id, attempt in ((lost, 1), (left, 1), (twice, 1), (twice, 2), *((job, 1) for job in others))
        }
        wait_for_waiting(8)
    kept = {which for which, end in ends.items() if end.result(10) is not None}
    assert kept == {(twice, 2), *((job, 1) for job in others)}
    assert {*SynthesisJob.objects.filter(id__in=(lost, left)).values_list("state", flat=True)} == {"running"}
    assert transactions([twice, *others]) == 1


def test_batches_of_the_same_accounts_in_other_orders_do_not_wait_for_each_other() -> None:
    """Two workers settle jobs of two organizations at once, over and over."""
    both = new_organization(), new_organization()
    batches = []
    for number in range(40):
        ours = [running_jobs(1, organization=organization)[0] for organization in both]
        batches.append(ours if number % 2 else ours[::-1])

    def settle(batch: Sequence[UUID]) -> list[object]:
        try:
            return list(finishing._finish_in_one([finishing._Finished(job_id, 1, SPOKEN) for job_id in batch]))
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        futures: list[Future[list[object]]] = [threads.submit(settle, batch) for batch in batches]
        assert all(all(future.result(30)) for future in futures)
    assert verification.verify().clean
