"""Pronunciation dictionaries: the page, its forms, and what they change."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.models import ApiKey
from accounts.permissions import Action
from console import samples
from console.access import Member, member_view
from console.pronunciation_forms import PronunciationForm
from inference import pronunciations
from inference.models import PronunciationVersion
from inference.speech import lexicons


@member_view(Action.USE_PLAYGROUND)
@require_safe
def show(request: HttpRequest, member: Member) -> HttpResponse:
    return _page(request, member)


@member_view(Action.USE_PLAYGROUND)
@require_POST
def create(request: HttpRequest, member: Member) -> HttpResponse:
    form = PronunciationForm(request.POST)
    if form.is_valid():
        try:
            pronunciations.create(organization_id=member.organization.id, **form.cleaned_data)
        except pronunciations.TooManyDictionaries:
            form.add_error(None, f"You can have at most {pronunciations.MOST_DICTIONARIES} dictionaries.")
        else:
            messages.success(request, "Saved.")
            return redirect("pronunciation", member.organization.id)
    return _page(request, member, form=form)


@member_view(Action.USE_PLAYGROUND)
@require_POST
def change(request: HttpRequest, member: Member, dictionary_id: UUID) -> HttpResponse:
    """Save a dictionary's name, and its rules as a new version where they have changed."""
    version = pronunciations.version(dictionary_id, organization_id=member.organization.id)
    if version is None:
        raise Http404
    form = PronunciationForm(request.POST)
    if not form.is_valid():
        return _page(request, member, changed=(dictionary_id, form))
    rules = form.cleaned_data["rules"]
    pronunciations.change(
        dictionary_id,
        organization_id=member.organization.id,
        name=form.cleaned_data["name"],
        rules=None if rules == pronunciations.rules_of(version.rules) else rules,
    )
    messages.success(request, "Saved.")
    return redirect("pronunciation", member.organization.id)


@member_view(Action.USE_PLAYGROUND)
@require_POST
def delete(request: HttpRequest, member: Member, dictionary_id: UUID) -> HttpResponse:
    if not pronunciations.delete(dictionary_id, organization_id=member.organization.id):
        raise Http404
    messages.success(request, "Deleted.")
    return redirect("pronunciation", member.organization.id)


@member_view(Action.MANAGE_KEYS)
@require_POST
def set_default(request: HttpRequest, member: Member, dictionary_id: UUID) -> HttpResponse:
    """Make a dictionary that of an API key's requests that name none, or no longer."""
    own = ApiKey.objects.filter(organization=member.organization, public_id=request.POST.get("key", ""))
    key = own.first()
    if key is None:
        raise Http404
    is_default = pronunciations.default_dictionary(key.id) == dictionary_id
    if not pronunciations.set_default(
        api_key_id=key.id,
        organization_id=member.organization.id,
        dictionary_id=None if is_default else dictionary_id,
    ):
        raise Http404
    messages.success(
        request, f"{key.name} {'no longer uses' if is_default else 'uses'} this dictionary by default."
    )
    return redirect("pronunciation", member.organization.id)


def _page(
    request: HttpRequest,
    member: Member,
    *,
    form: PronunciationForm | None = None,
    changed: tuple[UUID, PronunciationForm] | None = None,
) -> HttpResponse:
    versions = pronunciations.latest(organization_id=member.organization.id)
    refused = dict([changed]) if changed else {}
    users = pronunciations.default_keys(organization_id=member.organization.id)
    context = {
        "member": member,
        "section": "pronunciation",
        "form": form or PronunciationForm(),
        "dictionaries": [
            (each, refused.get(each.dictionary_id) or _form_of(each), users.get(each.dictionary_id, ()))
            for each in versions
        ],
        "keys": ApiKey.objects.filter(organization=member.organization, revoked_at=None, playground_of=None),
        "model": samples.MODEL,
    }
    return render(request, "console/pronunciation.html", context, status=400 if changed or form else 200)


def _form_of(version: PronunciationVersion) -> PronunciationForm:
    rules = lexicons.to_csv(pronunciations.rules_of(version.rules))
    return PronunciationForm(initial={"name": version.dictionary.name, "rules": rules})
