"""Checking a batch's input file, line by line, before anything of it is spoken."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from gateway.batches import files, lines, telling
from gateway.batches.lines import LineError, Place
from gateway.errors import ApiError
from gateway.models import BatchLine, SpeechBatch

INSERT_LINES = 2000


def validate(batch: SpeechBatch, offered: Sequence[str]) -> None:
    """Start the batch, or fail it with what is wrong, in one transaction. A part that dies here starts anew."""
    good, errors = _check(batch, offered)
    now = timezone.now()
    with transaction.atomic():
        mine = SpeechBatch.objects.filter(id=batch.id, state=SpeechBatch.State.VALIDATING)
        if errors:
            told = [error.as_json() for error in errors]
            if mine.update(state=SpeechBatch.State.FAILED, ended_at=now, errors=told):
                telling.tell_of_batch(batch)
        elif mine.update(state=SpeechBatch.State.IN_PROGRESS, in_progress_at=now, total=len(good)):
            BatchLine.objects.bulk_create(
                (
                    BatchLine(
                        batch=batch,
                        number=place.number,
                        offset=place.offset,
                        length=place.length,
                        custom_id=custom_id,
                    )
                    for place, custom_id in good
                ),
                batch_size=INSERT_LINES,
            )


def _check(batch: SpeechBatch, offered: Sequence[str]) -> tuple[list[tuple[Place, str]], list[LineError]]:
    """The lines with their custom ids, and the first `lines.MAX_ERRORS` errors."""
    good: list[tuple[Place, str]] = []
    errors: list[LineError] = []
    seen: dict[str, int] = {}
    most = batch.most_characters
    try:
        file = files.store().open(batch.input_file.path)
    except FileNotFoundError:
        return [], [LineError("file_not_found", "The input file was deleted.")]
    with file:
        for place, data in lines.places(file):
            if len(errors) >= lines.MAX_ERRORS:
                break
            if len(good) >= lines.MAX_LINES:
                errors.append(
                    LineError("too_many_lines", f"The file has more than {lines.MAX_LINES} lines.", place.number)
                )
                break
            try:
                request = lines.read(data, endpoint=batch.endpoint)
                lines.understand(request, offered, most_characters=most)
            except ApiError as refusal:
                errors.append(LineError.of(refusal, place.number))
                continue
            if (first := seen.setdefault(request.custom_id, place.number)) != place.number:
                message = f"Invalid value for 'custom_id': line {first} has the same."
                errors.append(LineError("duplicate_custom_id", message, place.number, "custom_id"))
                continue
            good.append((place, request.custom_id))
    if not good and not errors:
        errors.append(LineError("empty_file", "The input file has no requests."))
    return good, errors
