"""Downloading all that is kept of an organization or of one's own account: only after a recent sign-in."""

from __future__ import annotations

from collections.abc import Iterable

from allauth.account.decorators import reauthentication_required
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from accounts import audit
from accounts.models import AuditEvent
from accounts.permissions import Action
from console import streaming
from console.access import Member, actor_of, member_view
from gateway import export, zips


@member_view(Action.EXPORT)
@reauthentication_required(allow_get=True)  # type: ignore[untyped-decorator]  # allauth has no types
@require_http_methods(["GET", "HEAD", "POST"])
def organization(request: HttpRequest, member: Member) -> HttpResponseBase:
    """Say what is in the archive; a POST downloads it, and is recorded."""
    if request.method != "POST":
        return render(request, "console/export.html", {"member": member, "section": "settings"})
    organization_id = member.organization.id
    audit.record(organization_id=organization_id, by=member.actor, action=AuditEvent.Action.ORGANIZATION_EXPORTED)
    return _download(export.organization(organization_id), f"org_{organization_id.hex}.zip")


@login_required
@reauthentication_required(allow_get=True)  # type: ignore[untyped-decorator]  # allauth has no types
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest) -> HttpResponseBase:
    """The same of the signed-in person; the organizations that they belong to have it in their activity."""
    actor = actor_of(request)
    if request.method != "POST":
        return render(request, "console/export_of_account.html")
    for organization_id in actor.user.memberships.values_list("organization_id", flat=True):
        audit.record(organization_id=organization_id, by=actor, action=AuditEvent.Action.MEMBER_EXPORTED)
    return _download(export.person(actor.user), "account.zip")


def _download(members: Iterable[zips.Member], filename: str) -> StreamingHttpResponse:
    return StreamingHttpResponse(
        streaming.pieces(zips.stream(members), at_once=1),
        content_type=zips.MEDIA_TYPE,
        headers={
            "content-disposition": f'attachment; filename="{filename}"',
            "cache-control": "private, no-store",
        },
    )
