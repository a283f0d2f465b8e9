"""An ended job's rows go after JOB_DAYS, and nothing that is still needed does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from accounts import keys, organizations
from accounts.identifiers import uuid7_floor
from billing.models import UsageRecord
from inference import retention
from inference.models import AudioAsset, LostAttempt, SynthesisJob
from tests import history

pytestmark = pytest.mark.django_db


@pytest.fixture
def of() -> dict[str, Any]:
    organization = organizations.create(name="A", owner_email="a@example.com")
    key, _ = keys.create(organization=organization, name="k")
    return {"organizations": [organization.pk], "keys": [key.pk]}


def old_job(of: dict[str, Any], **fields: Any) -> UUID:
    then = timezone.now() - timedelta(days=200)
    job = SynthesisJob.objects.create(
        id=uuid7_floor(then), organization_id=of["organizations"][0], api_key_id=of["keys"][0], sampling={},
        max_frames=1, created_at=then, enqueued_at=then, deadline_at=then, **fields,
    )  # fmt: skip
    return job.id


def test_old_jobs_go_with_their_rows_and_usage_stays(
    of: dict[str, Any], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.JOB_DAYS = 90
    monkeypatch.setattr(retention, "BATCH", 3)
    history.make(10, over=timedelta(days=100), until=timedelta(days=95), **of)
    history.make(5, over=timedelta(days=80), **of)
    oldest = SynthesisJob.objects.order_by("id")[0]
    LostAttempt.objects.create(
        job=oldest, attempt=1, cause="worker_lost", started_at=oldest.created_at, lost_at=oldest.created_at
    )
    assert retention.purge_jobs() == 10
    assert (SynthesisJob.objects.count(), AudioAsset.objects.count(), LostAttempt.objects.count()) == (5, 5, 0)
    assert UsageRecord.objects.count() == 15
    assert retention.purge_jobs() == 0


def test_a_job_that_has_not_ended_stays(of: dict[str, Any]) -> None:
    old_job(of, text="Hi.")
    assert retention.purge_jobs() == 0


def test_a_job_whose_audio_is_kept_stays_until_it_is_purged(of: dict[str, Any]) -> None:
    job_id = old_job(of, state="succeeded", finished_at=timezone.now())
    now = timezone.now()
    asset = AudioAsset.objects.create(
        job_id=job_id, organization_id=of["organizations"][0], path="a", content_type="audio/wav", size=1,
        samples=1, receipt={}, created_at=now, expires_at=now,
    )  # fmt: skip
    assert retention.purge_jobs() == 0
    asset.purged_at = now
    asset.save()
    assert retention.purge_jobs() == 1
