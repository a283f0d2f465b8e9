"""The page of batches: progress, results, cancelling."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta

from django.core.files.base import ContentFile
from django.urls import reverse
from django.utils import timezone

from accounts.identifiers import new_id
from gateway.batches import files
from gateway.models import File, SpeechBatch
from inference import assets
from inference.models import AudioAsset, SynthesisJob
from tests.console.people import Office, browser, waiting_job

SOON = timedelta(hours=1)


def batch_of(office: Office, **columns: object) -> SpeechBatch:
    of = {"organization": office.organization, "bytes": 3, "expires_at": timezone.now() + SOON}
    asked = File.objects.create(purpose="batch", filename="chapters.jsonl", path="none.jsonl", **of)
    defaults = {"state": "in_progress", "total": 40, "completed": 10, "failed": 2}
    return SpeechBatch.objects.create(
        organization=office.organization,
        api_key=office.key,
        endpoint="/v1/audio/speech",
        input_file=asked,
        expires_at=timezone.now() + SOON,
        **{**defaults, **columns},
    )


def page(office: Office, name: str = "batches") -> str:
    return browser(office.owner).get(reverse(name, args=[office.organization.id])).content.decode()


def test_a_batch_under_way_shows_its_progress_and_is_looked_at_again(acme: Office) -> None:
    batch = batch_of(acme)
    shown = page(acme)
    assert f"batch_{batch.id.hex}" in shown
    assert "10 of 40, 2 failed" in shown
    assert "chapters.jsonl" in shown
    assert 'hx-trigger="every 3s"' in shown
    assert "10 of 40, 2 failed" in page(acme, "batch_rows")


def test_one_that_is_paused_or_failed_says_why(acme: Office) -> None:
    batch_of(acme, paused={"code": "insufficient_quota", "message": "Your credit is used up."})
    error = {"code": "unsupported_value", "message": "Invalid voice 'x'.", "line": 7, "param": "body.voice"}
    batch_of(acme, state="failed", ended_at=timezone.now(), errors=[error])
    shown = page(acme)
    assert "Your credit is used up." in shown
    assert "Line 7: Invalid voice" in shown


def test_its_audio_is_downloaded_by_a_button(acme: Office, rival: Office) -> None:
    batch = batch_of(acme, total=2, completed=2, failed=0)
    path = reverse("batch_audio", args=[acme.organization.id, batch.id])
    assert path in page(acme)
    assert browser(acme.owner).get(path).status_code == 404, "it has expired"
    for number in (1, 2):
        line = batch.lines.create(
            number=number, offset=0, length=1, custom_id=f"chapter {number}", state="succeeded", job_id=new_id()
        )
        job = waiting_job(acme)
        SynthesisJob.objects.filter(id=job.id).update(id=line.job_id)
        now = timezone.now()
        AudioAsset.objects.create(
            job_id=line.job_id, organization=acme.organization, path=assets.save(line.job_id, 1, "wav", b"RIFF"),
            content_type="audio/wav", size=4, samples=960, receipt={}, created_at=now, expires_at=now + SOON,
        )  # fmt: skip
    answer = browser(acme.owner).get(path)
    assert answer["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(b"".join(answer))) as archive:
        assert archive.namelist() == ["00001-chapter_1.wav", "00002-chapter_2.wav"]
        assert archive.read("00001-chapter_1.wav") == b"RIFF"
    assert browser(rival.owner).get(path).status_code == 404


def test_it_is_cancelled_by_a_button(acme: Office) -> None:
    batch = batch_of(acme)
    path = reverse("batch_cancel", args=[acme.organization.id, batch.id])
    assert path in page(acme)
    answer = browser(acme.owner).post(path, follow=True)
    assert "The batch is being cancelled." in answer.content.decode()
    batch.refresh_from_db()
    assert batch.cancelling_at
    assert path not in page(acme)


def test_its_results_are_downloaded(acme: Office) -> None:
    path = files.store().save("results.jsonl", ContentFile('{"custom_id":"größer"}\n'.encode()))
    output = File.objects.create(
        organization=acme.organization,
        purpose="batch_output",
        filename="x",
        path=path,
        bytes=3,
        expires_at=timezone.now() + SOON,
    )
    batch = batch_of(acme, state="completed", ended_at=timezone.now(), output_file=output)
    shown = reverse("batch_results", args=[acme.organization.id, batch.id, "output"])
    assert shown in page(acme)
    assert reverse("batch_results", args=[acme.organization.id, batch.id, "errors"]) not in page(acme)
    answer = browser(acme.owner).get(shown)
    assert answer["content-type"] == "application/x-ndjson"


def test_without_one_the_page_says_how_to_begin(acme: Office) -> None:
    assert "POST /v1/batches" in page(acme)
