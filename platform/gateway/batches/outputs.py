"""What a batch leaves: a file of results and one of errors, JSON Lines in the order of the input."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from gateway.batches import collecting, files, telling
from gateway.models import BatchLine, File, SpeechBatch
from gateway.speech import chat, speech
from gateway.speech.outcome import Bill
from inference import results
from inference.models import AudioAsset, SynthesisJob
from inference.results import Result

AT_ONCE = 1000


def finish(batch: SpeechBatch, outcome: SpeechBatch.State) -> None:
    """Write the files and end the batch, in one transaction: a part that dies here leaves nothing half done."""
    now = timezone.now()
    with transaction.atomic():
        ended = {"state": outcome, "ended_at": now, "paused": None, "paused_until": None}
        if not SpeechBatch.objects.filter(id=batch.id, ended_at=None).update(**ended):
            return
        batch.refresh_from_db()
        output = _write(batch, "output", _outputs(batch)) if batch.completed else None
        errors = _write(batch, "errors", _errors(batch)) if batch.failed else None
        SpeechBatch.objects.filter(id=batch.id).update(output_file=output, error_file=errors)
        telling.tell_of_batch(batch)


def _write(batch: SpeechBatch, what: str, lines: Iterator[dict[str, Any]]) -> File:
    with files.spool() as path:
        with path.open("w", encoding="utf-8") as file:
            for line in lines:
                file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
        return files.keep(
            batch.organization_id,
            purpose=File.Purpose.BATCH_OUTPUT,
            filename=f"batch_{batch.id.hex}_{what}.jsonl",
            spooled=path,
            expires_in=max(collecting.results_until(batch) - timezone.now(), timedelta(hours=1)),
        )


def _outputs(batch: SpeechBatch) -> Iterator[dict[str, Any]]:
    spoken = batch.lines.filter(state=BatchLine.State.SUCCEEDED).order_by("number").iterator(AT_ONCE)
    while several := list(islice(spoken, AT_ONCE)):
        ids = [line.job_id for line in several]
        jobs = SynthesisJob.objects.in_bulk(ids)
        assets = AudioAsset.objects.in_bulk(ids)
        for line in several:
            job = jobs[line.job_id]
            result = results.of(job, assets[job.id])
            if not line.stored:
                result = replace(result, transcript="")  # the file outlives the audio
            shape = _speech if batch.endpoint == "/v1/audio/speech" else _completion
            response = {"status_code": 200, "request_id": _id_of(line), "body": shape(job, result)}
            yield {"id": _id_of(line), "custom_id": line.custom_id, "response": response, "error": None}


def _errors(batch: SpeechBatch) -> Iterator[dict[str, Any]]:
    for line in batch.lines.filter(state=BatchLine.State.FAILED).order_by("number").iterator(AT_ONCE):
        error = dict(line.error or {})
        status = error.pop("status", None)
        yield {
            "id": _id_of(line),
            "custom_id": line.custom_id,
            "response": status and {"status_code": status, "request_id": _id_of(line), "body": {"error": error}},
            "error": None if status else {"code": error.get("code"), "message": error.get("message")},
        }


def _id_of(line: BatchLine) -> str:
    return f"batch_req_{line.batch_id.hex}_{line.number}"


def _speech(job: SynthesisJob, result: Result) -> dict[str, Any]:
    """`POST /v1/audio/speech` has no JSON answer of OpenAI's; this is ours."""
    return {
        "object": "audio.speech",
        "audio": _audio(job.id, job.format, result),
        "model": result.engine_model,
        "usage": speech.usage(Bill.of(result, replayed=False)),
    }


def _completion(job: SynthesisJob, result: Result) -> dict[str, Any]:
    """The chat completion, whose audio is named by its id instead of carried along."""
    bill = Bill.of(result, replayed=False)
    audio = {**_audio(job.id, job.format, result), "data": "", "transcript": result.transcript}
    usage = {
        "prompt_tokens": bill.prompt_tokens,
        "completion_tokens": bill.frames,
        "total_tokens": bill.prompt_tokens + bill.frames,
        "audio_seconds": bill.seconds,
        "cost_usd": bill.cost,
    }
    return chat.completion(job.id, int(job.created_at.timestamp()), result, audio=audio, usage=usage)


def _audio(job_id: UUID, format: str, result: Result) -> dict[str, Any]:
    return {"id": f"audio_{job_id.hex}", "format": format, "expires_at": result.expires_at}
