"""Members: invitations, roles, leaving, transfer, and the organization's name."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from allauth.account.decorators import reauthentication_required
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import invitations, organizations
from accounts.models import Membership
from accounts.organizations import Refused
from accounts.permissions import ALLOWED, Action
from billing import selectors
from console import emails
from console.access import Member, member_view
from console.forms import ROLES, InviteForm, OrganizationForm, RetentionForm, RoleForm


@member_view(Action.SEE_MEMBERS)
@require_safe
def show(request: HttpRequest, member: Member) -> HttpResponse:
    return _page(request, member, InviteForm())


@member_view(Action.MANAGE_MEMBERS)
@require_POST
def invite(request: HttpRequest, member: Member) -> HttpResponse:
    """Send the e-mail. The response also shows the link, once, so that it can be shared another way."""
    form = InviteForm(request.POST)
    if not form.is_valid():
        return _page(request, member, form)
    email, role = form.cleaned_data["email"], Membership.Role(form.cleaned_data["role"])
    try:
        made, token = invitations.create(
            organization=member.organization,
            email=email,
            role=role,
            by=member.actor,
            trusted=selectors.has_paid(member.organization),
        )
    except Refused as refusal:
        form.add_error("email", str(refusal))
        return _page(request, member, form)
    link = request.build_absolute_uri(reverse("invitation", args=[token]))
    sent = emails.send_invitation(made, link)
    return _page(request, member, InviteForm(), invited=made.email, link=link, sent=sent)


@member_view(Action.MANAGE_MEMBERS)
@require_POST
def withdraw(request: HttpRequest, member: Member, invitation_id: UUID) -> HttpResponse:
    if not invitations.withdraw(
        organization_id=member.organization.id, invitation_id=invitation_id, by=member.actor
    ):
        raise Http404
    messages.success(request, "The invitation is withdrawn. Its link no longer works.")
    return redirect("members", member.organization.id)


@member_view(Action.MANAGE_MEMBERS)
@require_POST
def change_role(request: HttpRequest, member: Member, user_id: int) -> HttpResponse:
    form = RoleForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose a role.")
        return redirect("members", member.organization.id)
    role = Membership.Role(form.cleaned_data["role"])
    return _try(
        request,
        member,
        user_id,
        lambda: organizations.change_role(
            organization_id=member.organization.id, user_id=user_id, role=role, by=member.actor
        ),
        "The role is changed.",
    )


@member_view(Action.MANAGE_MEMBERS)
@require_POST
def remove(request: HttpRequest, member: Member, user_id: int) -> HttpResponse:
    return _try(
        request,
        member,
        user_id,
        lambda: organizations.remove(organization_id=member.organization.id, user_id=user_id, by=member.actor),
        "The member is removed. Keys stay: revoke those that the person knows.",
    )


@member_view(Action.TRANSFER)
@require_POST
@reauthentication_required  # type: ignore[untyped-decorator]  # allauth has no types
def transfer(request: HttpRequest, member: Member, user_id: int) -> HttpResponse:
    return _try(
        request,
        member,
        user_id,
        lambda: organizations.transfer(
            organization_id=member.organization.id, to_user_id=user_id, by=member.actor
        ),
        "The organization has a new owner; you are an admin now.",
    )


@member_view(Action.SEE_MEMBERS)
@require_POST
def leave(request: HttpRequest, member: Member) -> HttpResponse:
    try:
        organizations.remove(organization_id=member.organization.id, user_id=member.user.pk, by=member.actor)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("members", member.organization.id)
    messages.success(request, f"You have left {member.organization.name}.")
    return redirect("console")


@member_view(Action.RENAME)
@require_http_methods(["GET", "HEAD", "POST"])
def rename(request: HttpRequest, member: Member) -> HttpResponse:
    form = OrganizationForm(request.POST or None, initial={"name": member.organization.name})
    if form.is_valid():
        organizations.rename(
            organization_id=member.organization.id, name=form.cleaned_data["name"], by=member.actor
        )
        messages.success(request, "Saved.")
        return redirect("settings", member.organization.id)
    return _settings(request, member, form=form)


@member_view(Action.RENAME)
@require_POST
def keep_audio(request: HttpRequest, member: Member) -> HttpResponse:
    form = RetentionForm(request.POST)
    if form.is_valid():
        organizations.keep_audio(
            organization_id=member.organization.id, days=form.cleaned_data["audio_days"], by=member.actor
        )
        messages.success(request, "Saved.")
        return redirect("settings", member.organization.id)
    return _settings(request, member, retention=form)


def _settings(
    request: HttpRequest,
    member: Member,
    *,
    form: OrganizationForm | None = None,
    retention: RetentionForm | None = None,
) -> HttpResponse:
    organization = member.organization
    form = form or OrganizationForm(initial={"name": organization.name})
    retention = retention or RetentionForm(initial={"audio_days": organization.audio_days})
    context = {
        "member": member,
        "section": "settings",
        "form": form,
        "retention": retention,
        "default_hours": settings.AUDIO_TTL_SECONDS // 3600,
    }
    status = 400 if form.errors or retention.errors else 200
    return render(request, "console/settings.html", context, status=status)


def _try(
    request: HttpRequest, member: Member, user_id: int, change: Callable[[], None], done: str
) -> HttpResponse:
    """Apply a change to another member, and report the result."""
    if not Membership.objects.filter(organization=member.organization, user=user_id).exists():
        raise Http404
    try:
        change()
        messages.success(request, done)
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect("members", member.organization.id)


def _page(request: HttpRequest, member: Member, form: InviteForm, **more: object) -> HttpResponse:
    order = list(ALLOWED)
    memberships = Membership.objects.filter(organization=member.organization).select_related("user")
    context = {
        "member": member,
        "section": "members",
        "memberships": sorted(memberships, key=lambda each: (order.index(each.role), each.user.email)),
        "invitations": invitations.of_organization(member.organization.id),
        "form": form,
        "roles": ROLES,
        "order": order,
        "table": [(action, [action in ALLOWED[role] for role in order]) for action in Action],
        **more,
    }
    return render(request, "console/members.html", context, status=400 if form.errors else 200)
