"""Deleting an organization or one's own account: permanent, and only after a recent sign-in."""

from __future__ import annotations

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.organizations import Refused
from accounts.permissions import Action
from console.access import Member, actor_of, member_view
from console.forms import DeletionForm
from gateway import erasure


@member_view(Action.DELETE)
@reauthentication_required(allow_get=True)  # type: ignore[untyped-decorator]  # allauth has no types
@require_http_methods(["GET", "HEAD", "POST"])
def organization(request: HttpRequest, member: Member) -> HttpResponse:
    """Show what is deleted and what is kept; delete once the name was typed."""
    form = DeletionForm(request.POST or None, expected=member.organization.name)
    if form.is_valid():
        try:
            erasure.delete_organization(member.organization.id, by=member.user)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            if not User.objects.filter(pk=member.user.pk).exists():  # it was the person's last one
                logout(request)
                return redirect("home")
            messages.success(request, "The organization is deleted.")
            return redirect("console")
    return render(
        request,
        "console/deletion.html",
        {"member": member, "section": "settings", "form": form},
        status=400 if form.errors else 200,
    )


@login_required
@reauthentication_required(allow_get=True)  # type: ignore[untyped-decorator]  # allauth has no types
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """Delete the signed-in person once their address was typed."""
    person = actor_of(request).user
    form = DeletionForm(request.POST or None, expected=person.email)
    if form.is_valid():
        try:
            erasure.delete_user(person.email, by=person)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            logout(request)
            return redirect("home")
    return render(request, "console/deletion_of_account.html", {"form": form}, status=400 if form.errors else 200)
