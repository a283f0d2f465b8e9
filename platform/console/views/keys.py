"""API keys: create, show, edit, rotate, revoke."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import ApiKey
from accounts.organizations import Refused
from accounts.permissions import Action
from billing.alerts import rules
from console import key_actions, samples
from console.access import Member, member_view
from console.key_forms import KeyForm, NewKeyForm, RotateForm
from usage import rollups, usage


@member_view(Action.SEE_KEYS)
@require_safe
def show_all(request: HttpRequest, member: Member) -> HttpResponse:
    """Active keys, then revoked and expired ones, each with its cost this month."""
    now = timezone.now()
    month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    rollups.refresh(organization_id=member.organization.id)
    tomorrow = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    costs = usage.costs(organization_id=member.organization.id, start=month, end=tomorrow, by="api_key_id")
    keys = [(key, costs.get(key.id, 0)) for key in _of(member).order_by("-created_at")]
    context = {
        "member": member,
        "section": "keys",
        "live": [pair for pair in keys if _is_live(pair[0])],
        "ended": [pair for pair in keys if not _is_live(pair[0])],
    }
    return render(request, "console/keys.html", context)


@member_view(Action.MANAGE_KEYS)
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest, member: Member) -> HttpResponse:
    """The form. The response shows the key, once."""
    form = NewKeyForm(request.POST or None)
    if not form.is_valid():
        return render(
            request,
            "console/key_new.html",
            {"member": member, "section": "keys", "form": form},
            status=400 if form.errors else 200,
        )
    key, secret = key_actions.create(member=member, terms=form.terms(), expires_at=form.expires_at())
    return _show_once(request, member, key, secret)


@member_view(Action.SEE_KEYS)
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest, member: Member, public_id: str) -> HttpResponse:
    """One key: its budgets, and a form to edit it for roles that can."""
    key = _find(member, public_id)
    budgets = key_actions.of_key(key)
    initial = KeyForm.initial_of(key, {each.period: each.amount for each in budgets})
    form = KeyForm(request.POST or None, initial=initial)
    if request.method == "POST" and member.may(Action.MANAGE_KEYS) and form.is_valid():
        try:
            key_actions.change(member=member, key=key, terms=form.terms())
            messages.success(request, "Saved.")
        except Refused as refusal:
            messages.error(request, str(refusal))
        return redirect("key", member.organization.id, public_id)
    context = {
        "member": member,
        "section": "keys",
        "key": key,
        "live": _is_live(key),
        "budgets": budgets,
        "thresholds": rules.of(member.organization.id).percents,
        "form": form,
        "rotate_form": RotateForm(),
    }
    return render(request, "console/key.html", context, status=400 if form.errors else 200)


@member_view(Action.MANAGE_KEYS)
@require_POST
def rotate(request: HttpRequest, member: Member, public_id: str) -> HttpResponse:
    """Replace this key by a new one; both work during the overlap."""
    key, form = _find(member, public_id), RotateForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose how long to keep the old key.")
        return redirect("key", member.organization.id, public_id)
    try:
        fresh, secret = key_actions.rotate(member=member, key=key, overlap=form.duration())
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("key", member.organization.id, public_id)
    return _show_once(request, member, fresh, secret, replaced=_find(member, public_id))


@member_view(Action.MANAGE_KEYS)
@require_POST
def revoke(request: HttpRequest, member: Member, public_id: str) -> HttpResponse:
    key = _find(member, public_id)
    try:
        key_actions.revoke(member=member, key=key)
        messages.success(request, f"“{key.name}” is revoked. It stops working within a second.")
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect("keys", member.organization.id)


def _show_once(
    request: HttpRequest, member: Member, key: ApiKey, secret: str, replaced: ApiKey | None = None
) -> HttpResponse:
    context = {
        "member": member,
        "section": "keys",
        "key": key,
        "secret": secret,
        "replaced": replaced,
        "samples": samples.for_key(samples.base_url(), secret),
        "base_url": samples.base_url(),
    }
    return render(request, "console/key_once.html", context)


def _of(member: Member) -> QuerySet[ApiKey]:
    found = ApiKey.objects.filter(organization=member.organization, playground_of=None)
    return found.select_related("service_account")


def _find(member: Member, public_id: str) -> ApiKey:
    key = _of(member).filter(public_id=public_id).first()
    if key is None:
        raise Http404
    return key


def _is_live(key: ApiKey) -> bool:
    return key.revoked_at is None and (key.expires_at is None or key.expires_at > timezone.now())
