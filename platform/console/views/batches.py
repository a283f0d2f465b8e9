"""Batches: their progress, their results and audio, and the button that cancels one."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import Action
from console import streaming
from console.access import Member, member_view
from gateway.batches import archive, batches, files
from gateway.errors import ApiError
from gateway.models import File, SpeechBatch

SHOWN = 50
RESULTS = ("output", "errors")


@member_view(Action.SEE_USAGE)
@require_safe
def show(request: HttpRequest, member: Member) -> HttpResponse:
    return render(request, "console/batches.html", _context(member))


@member_view(Action.SEE_USAGE)
@require_safe
def rows(request: HttpRequest, member: Member) -> HttpResponse:
    """The table alone, which the page asks for again while a batch is under way."""
    return render(request, "console/parts/batch_table.html", _context(member))


@member_view(Action.MANAGE_BATCHES)
@require_POST
def cancel(request: HttpRequest, member: Member, batch_id: UUID) -> HttpResponse:
    batch = get_object_or_404(SpeechBatch, organization=member.organization, id=batch_id)
    try:
        batches.cancel(member.organization.id, f"batch_{batch.id.hex}")
    except ApiError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, "The batch is being cancelled. What has been spoken is kept.")
    return redirect("batches", member.organization.id)


@member_view(Action.MANAGE_BATCHES)
@require_safe
def results(request: HttpRequest, member: Member, batch_id: UUID, what: str) -> StreamingHttpResponse:
    """The results or the errors of a batch, as JSON Lines."""
    batch = get_object_or_404(SpeechBatch, organization=member.organization, id=batch_id)
    if what not in RESULTS:
        raise Http404
    id = batch.output_file_id if what == "output" else batch.error_file_id
    file = files.find(member.organization.id, id)
    if file is None:
        raise Http404("This batch has no such file, or it has expired.")
    headers = {"content-disposition": f'attachment; filename="batch_{batch.id.hex}_{what}.jsonl"'}
    content = streaming.pieces(_lines(file))
    return StreamingHttpResponse(content, content_type="application/x-ndjson", headers=headers)


@member_view(Action.MANAGE_BATCHES)
@require_safe
def audio(request: HttpRequest, member: Member, batch_id: UUID) -> StreamingHttpResponse:
    """The audio of a batch as one zip file."""
    batch = get_object_or_404(SpeechBatch, organization=member.organization, id=batch_id)
    entries = archive.entries(batch)
    if not entries:
        raise Http404("This batch has no audio, or it has expired.")
    headers = {
        "content-disposition": f'attachment; filename="batch_{batch.id.hex}.zip"',
        "cache-control": "private, no-store",
    }
    return StreamingHttpResponse(
        archive.stream(entries, "zip"), content_type=archive.MEDIA_TYPES["zip"], headers=headers
    )


def _lines(file: File) -> Generator[str]:
    with files.store().open(file.path) as stored:
        for line in stored:
            yield line.decode()


def _context(member: Member) -> dict[str, Any]:
    found = SpeechBatch.objects.filter(organization=member.organization).select_related("input_file")
    shown = list(found.order_by("-id")[:SHOWN])
    return {
        "member": member,
        "section": "batches",
        "batches": shown,
        "under_way": any(batch.ended_at is None for batch in shown),
    }
