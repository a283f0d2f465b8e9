"""What a worker leaves that dies between storing the audio and finishing the job goes too."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.core.files.base import ContentFile
from django.utils import timezone

from accounts import keys, organizations
from accounts.identifiers import new_id
from inference import assets
from inference.models import AudioAsset, SynthesisJob

LONG_AGO = UUID("01900000-0000-7000-8000-000000000000")  # 2024-06-09


pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def store(tmp_path: Path, settings: Any) -> Path:
    own = settings.STORAGES["audio"]
    storage = {**own, "OPTIONS": {**own["OPTIONS"], "location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "audio": storage}
    return tmp_path


def name_in_a_row(path: str, job_id: UUID = LONG_AGO) -> None:
    organization = organizations.create(name="A", owner_email=f"{job_id.hex}@example.com")
    key, _ = keys.create(organization=organization, name="k")
    now = timezone.now()
    job = SynthesisJob.objects.create(
        id=job_id,
        organization=organization,
        api_key=key,
        sampling={},
        max_frames=1,
        created_at=now,
        enqueued_at=now,
        deadline_at=now,
    )
    AudioAsset.objects.create(
        job=job,
        organization=organization,
        path=path,
        size=4,
        samples=0,
        receipt={},
        created_at=now,
        expires_at=now,
    )


def test_a_file_is_its_owners_alone_and_none_harms_another(store: Path) -> None:
    """The first one of a folder, the next one, and one whose name is taken."""
    job_id, other = new_id(), new_id()
    first, second = assets.save(job_id, 1, "wav", b"1" * 200_000), assets.save(other, 1, "wav", io.BytesIO(b"2"))
    taken = assets.save(other, 1, "wav", b"3")
    assert (first, second) == (f"{job_id.hex[:6]}/{job_id.hex}-1.wav", f"{other.hex[:6]}/{other.hex}-1.wav")
    assert taken not in {first, second}
    assert [assets.load(path) for path in (first, second, taken)] == [b"1" * 200_000, b"2", b"3"]
    assert {(store / path).stat().st_mode & 0o777 for path in (first, second, taken)} == {0o600}
    assert {path.parent.stat().st_mode & 0o777 for path in store.glob("*/*")} == {0o700}


def test_no_file_is_written_elsewhere(store: Path) -> None:
    with pytest.raises(SuspiciousOperation):
        assets.store().save("../elsewhere.wav", ContentFile(b"1"))


def test_orphans_are_purged_with_their_folder(store: Path) -> None:
    assert assets.purge_orphans() == 0
    old = assets.save(LONG_AGO, 1, "wav", b"RIFF")
    fresh = assets.save(new_id(), 1, "wav", b"RIFF")
    assert (assets.load(old), assets.load(fresh)) == (b"RIFF", b"RIFF")
    assert assets.purge_orphans() == 1
    assert [str(path.relative_to(store)) for path in store.rglob("*.wav")] == [fresh]
    assert not (store / old).parent.exists()


def test_audio_that_a_row_names_is_no_orphan() -> None:
    path = assets.save(LONG_AGO, 1, "wav", b"RIFF")
    name_in_a_row(path)
    assert assets.purge_orphans() == 0
    assert assets.load(path) == b"RIFF"
    assert assets.purge_expired() == 1
    with pytest.raises(FileNotFoundError):
        assets.load(path)


def test_a_file_that_cannot_be_deleted_holds_up_no_other(
    store: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(assets, "PURGE_BATCH", 2)
    paths = [assets.save(new_id(), 1, "wav", b"RIFF") for _ in range(5)]
    for path in paths:
        name_in_a_row(path, new_id())
    stuck = store / paths[0]
    stuck.unlink()
    (stuck / "inside").mkdir(parents=True)  # a folder that is not empty
    assert assets.purge_expired() == 4
    assert "cannot be deleted" in caplog.text
    (stuck / "inside").rmdir()
    stuck.rmdir()
    assert assets.purge_expired() == 1


def test_a_purge_leaves_the_work_to_one_that_runs(store: Path) -> None:
    name_in_a_row(assets.save(LONG_AGO, 1, "wav", b"RIFF"))
    own = settings.DATABASES["default"]
    with psycopg.connect(f"postgresql://postgres@/{own['NAME']}?host={own['HOST']}") as elsewhere:
        elsewhere.execute(assets._ONE_AT_A_TIME)
        assert assets.purge_expired() == 0
    assert assets.purge_expired() == 1
