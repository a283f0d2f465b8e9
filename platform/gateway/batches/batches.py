"""Creating and cancelling a batch, and how it is shown."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.identifiers import parse_prefixed
from accounts.keys import Principal
from accounts.models import Organization
from gateway.batches import doorbell, files
from gateway.batches.schemas import BatchRequest
from gateway.errors import ApiError, invalid, not_found
from gateway.models import File, SpeechBatch

COMPLETION_WINDOW = timedelta(hours=24)
MAX_ACTIVE = 50
"""Batches of an organization that have not ended."""


def create(principal: Principal, request: BatchRequest) -> SpeechBatch:
    """Raises ApiError: 404 for an unknown file, 400 for one of another purpose, 429 above `MAX_ACTIVE`."""
    organization_id = principal.organization_id
    with transaction.atomic():
        Organization.objects.select_for_update(no_key=True).get(id=organization_id)
        file = files.find(organization_id, parse_prefixed("file-", request.input_file_id))
        if file is None:
            raise unknown_file(request.input_file_id, param="input_file_id")
        if file.purpose != File.Purpose.BATCH:
            raise invalid(
                f"Invalid value for 'input_file_id': this file's purpose is {str(file.purpose)!r}, not 'batch'.",
                param="input_file_id",
            )
        if SpeechBatch.objects.filter(organization=organization_id, ended_at=None).count() >= MAX_ACTIVE:
            raise ApiError(
                429,
                f"Your organization has {MAX_ACTIVE} batches that have not ended. Wait for one to end.",
                code="too_many_batches",
                type="requests",
                retry=False,
            )
        batch = SpeechBatch.objects.create(
            organization_id=organization_id,
            api_key_id=principal.key_id,
            endpoint=request.endpoint,
            metadata=request.metadata,
            input_file=file,
            expires_at=timezone.now() + COMPLETION_WINDOW,
        )
        transaction.on_commit(doorbell.ring)
    return batch


def find(organization_id: UUID, name: str) -> SpeechBatch:
    """Raises ApiError: 404, the organization has no such batch."""
    id = parse_prefixed("batch_", name)
    batch = SpeechBatch.objects.filter(organization=organization_id, id=id).first() if id else None
    if batch is None:
        raise unknown_batch(name)
    return batch


def cancel(organization_id: UUID, name: str) -> SpeechBatch:
    """Cancel a batch: what is being spoken is stopped, what was spoken is kept.

    Raises:
        ApiError: 404, there is none; 409, it has ended.
    """
    batch = find(organization_id, name)
    wanted = SpeechBatch.objects.filter(id=batch.id, ended_at=None)
    if not wanted.filter(cancelling_at=None).update(cancelling_at=timezone.now()) and not wanted.exists():
        batch.refresh_from_db()
        raise already_ended(str(batch.state))
    doorbell.ring()
    batch.refresh_from_db()
    return batch


def unknown_file(name: str, *, param: str = "file_id") -> ApiError:
    return not_found(f"No file with id {name[:100]!r}.", code="file_not_found", param=param)


def unknown_batch(name: str) -> ApiError:
    return not_found(f"No batch with id {name[:100]!r}.", code="batch_not_found", param="batch_id")


def already_ended(state: str) -> ApiError:
    return ApiError(409, f"This batch has ended: its status is {state!r}.", code="batch_ended", param="batch_id")


def file_as_json(file: File) -> dict[str, Any]:
    return {
        "id": f"file-{file.id.hex}",
        "object": "file",
        "bytes": file.bytes,
        "created_at": _unix(file.created_at),
        "expires_at": _unix(file.expires_at),
        "filename": file.filename,
        "purpose": str(file.purpose),
        "status": "processed",
    }


def as_json(batch: SpeechBatch) -> dict[str, Any]:
    status = SpeechBatch.State.CANCELLING if batch.cancelling_at and not batch.ended_at else batch.state
    ended: dict[str, int | None] = dict.fromkeys(("completed_at", "failed_at", "expired_at", "cancelled_at"))
    if batch.ended_at:
        ended[f"{batch.state}_at"] = _unix(batch.ended_at)
    return {
        "id": f"batch_{batch.id.hex}",
        "object": "batch",
        "endpoint": batch.endpoint,
        "errors": {"object": "list", "data": batch.errors} if batch.errors else None,
        "input_file_id": f"file-{batch.input_file_id.hex}",
        "completion_window": "24h",
        "status": str(status),
        "output_file_id": batch.output_file_id and f"file-{batch.output_file_id.hex}",
        "error_file_id": batch.error_file_id and f"file-{batch.error_file_id.hex}",
        "created_at": _unix(batch.created_at),
        "in_progress_at": _unix(batch.in_progress_at),
        "expires_at": _unix(batch.expires_at),
        "finalizing_at": _unix(batch.finalizing_at),
        "cancelling_at": _unix(batch.cancelling_at),
        **ended,
        "request_counts": {"total": batch.total, "completed": batch.completed, "failed": batch.failed},
        "metadata": batch.metadata,
        "paused": batch.paused,
    }


def _unix(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp())
