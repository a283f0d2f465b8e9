"""The request log: search, timing, cost, and the audio until it expires."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_safe

from accounts.identifiers import parse_prefixed
from accounts.models import ApiKey
from accounts.permissions import Action
from billing.models import UsageRecord
from console import voices_on_offer
from console.access import Member, member_view
from console.timings import timings_of
from gateway import ranges
from inference import assets, custom_voices
from inference.models import AudioAsset
from usage import request_search
from usage.models import RequestLog
from usage.request_search import Cursor, Outcome, Search

FILTERS = ("outcome", "key", "voice", "from", "to")


@member_view(Action.SEE_USAGE)
@require_safe
def search(request: HttpRequest, member: Member) -> HttpResponse:
    """A page of the log; an id in the search field leads to its request at once."""
    if wanted := request.GET.get("id", "").strip():
        id = parse_prefixed("req_", wanted)
        if id is not None and _of(member, id).exists():
            return redirect("request", member.organization.id, id)
        messages.error(
            request, f"No request {wanted[:60]!r} in this organization. An id looks like req_ and 32 digits."
        )
    keys = list(ApiKey.objects.filter(organization=member.organization).order_by("-created_at"))
    rows, more = request_search.find(_search(request, member, keys))
    names = {key.id: key for key in keys}
    chosen = {name: request.GET[name] for name in FILTERS if request.GET.get(name)}
    following = request.GET.copy()
    following["after"] = str(more)
    newest = request.GET.copy()
    newest.pop("after", None)
    offered = [voice.name for voice in voices_on_offer.offer().voices]
    own = [f"{custom_voices.PREFIX}{voice.id.hex}" for voice in custom_voices.voices(member.organization.id)]
    context = {
        "member": member,
        "section": "requests",
        "rows": [(row, names.get(row.api_key_id) if row.api_key_id else None) for row in rows],
        "next": following.urlencode() if more else "",
        "is_first": not request.GET.get("after"),
        "newest": newest.urlencode(),
        "chosen": chosen,
        "keys": keys,
        "voices": dict.fromkeys((*offered, *own, *filter(None, [chosen.get("voice")]))),
    }
    return render(request, "console/requests.html", context)


@member_view(Action.SEE_USAGE)
@require_safe
def show(request: HttpRequest, member: Member, request_id: UUID) -> HttpResponse:
    """One request: its timings, its cost with the calculation, and its audio."""
    row = _of(member, request_id).first()
    if row is None:
        raise Http404
    record = _record(member, row)
    context = {
        "member": member,
        "section": "requests",
        "row": row,
        # A row that was written before its job was settled has no cost; one that repeats an earlier answer has $0.
        "billed": record.cost if record and row.cost is None else row.cost,
        "key": _key(member, row),
        "timings": timings_of(row),
        "record": record,
        "asset": _asset(member, row),
        "now": timezone.now(),
    }
    return render(request, "console/request.html", context)


@member_view(Action.HEAR_AUDIO)
@require_safe
def audio(request: HttpRequest, member: Member, request_id: UUID) -> HttpResponse:
    """The stored audio, or the range of it that a player asks for."""
    row = _of(member, request_id).first()
    asset = _asset(member, row) if row else None
    if asset is None or asset.purged_at is not None or asset.expires_at <= timezone.now():
        raise Http404("The audio has expired or was deleted.")
    headers = {"accept-ranges": "bytes"}
    if "download" in request.GET:
        suffix = asset.path.rpartition(".")[2]
        headers["content-disposition"] = f'attachment; filename="req_{request_id.hex}.{suffix}"'
    try:
        with assets.store().open(asset.path) as file:
            wanted = ranges.parse(request.headers.get("range", ""), file.size)
            if wanted is None:
                return HttpResponse(file.read(), content_type=asset.content_type, headers=headers)
            if not wanted:
                return HttpResponse(status=416, headers={"content-range": f"bytes */{file.size}"})
            headers["content-range"] = f"bytes {wanted.start}-{wanted.stop - 1}/{file.size}"
            file.seek(wanted.start)
            part = file.read(len(wanted))
    except FileNotFoundError:  # purged since the row was read
        raise Http404("The audio has expired or was deleted.") from None
    return HttpResponse(part, status=206, content_type=asset.content_type, headers=headers)


def _of(member: Member, id: UUID) -> QuerySet[RequestLog]:
    return RequestLog.objects.filter(id=id, organization_id=member.organization.id)


def _asset(member: Member, row: RequestLog) -> AudioAsset | None:
    if row.job_id is None:
        return None
    return AudioAsset.objects.filter(job_id=row.job_id, organization=member.organization).first()


def _record(member: Member, row: RequestLog) -> UsageRecord | None:
    if row.job_id is None:
        return None
    return UsageRecord.objects.filter(job_id=row.job_id, organization=member.organization).first()


def _key(member: Member, row: RequestLog) -> ApiKey | None:
    if row.api_key_id is None:
        return None
    return ApiKey.objects.filter(id=row.api_key_id, organization=member.organization).first()


def _search(request: HttpRequest, member: Member, keys: list[ApiKey]) -> Search:
    """The search of the query string; invalid filters are ignored."""
    outcomes: dict[str, Outcome] = {"ok": "ok", "failed": "failed"}
    last = _midnight(request.GET.get("to", ""))
    try:
        after = Cursor.parse(request.GET.get("after", ""))
    except ValueError:
        after = None
    return Search(
        organization_id=member.organization.id,
        start=_midnight(request.GET.get("from", "")),
        end=last and last + timedelta(days=1),
        outcome=outcomes.get(request.GET.get("outcome", ""), "any"),
        api_key_id=next((key.id for key in keys if key.named == request.GET.get("key")), None),
        voice=request.GET.get("voice", "")[:100],
        after=after,
    )


def _midnight(text: str) -> datetime | None:
    try:
        day = parse_date(text)
    except ValueError:
        return None
    return None if day is None else datetime.combine(day, time(), UTC)
