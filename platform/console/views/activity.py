"""The audit log, a page at a time."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.identifiers import parse_prefixed
from accounts.models import AuditEvent
from accounts.permissions import Action
from console.access import Member, member_view

PAGE_SIZE = 50


@member_view(Action.SEE_ACTIVITY)
@require_safe
def show(request: HttpRequest, member: Member) -> HttpResponse:
    events = AuditEvent.objects.filter(organization_id=member.organization.id)
    if after := parse_prefixed("act_", request.GET.get("after", "")):
        events = events.filter(id__lt=after)
    page = list(events.order_by("-id")[: PAGE_SIZE + 1])
    context = {
        "member": member,
        "section": "activity",
        "events": page[:PAGE_SIZE],
        "next": f"after=act_{page[PAGE_SIZE - 1].id.hex}" if len(page) > PAGE_SIZE else "",
    }
    return render(request, "console/activity.html", context)
