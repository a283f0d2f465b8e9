"""The organization's voices: record or upload, listen, rename, delete."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import Action
from console import voices_on_offer
from console.access import Member, member_view
from console.voice_forms import ConsentForm, VoiceForm
from gateway import consent_phrases, ranges, voice_actions
from gateway.errors import ApiError
from gateway.parsing import parse
from gateway.voice_schemas import NewConsent, NewVoice, Rename
from inference import custom_voices
from inference.custom_voices import CONSENT_PREFIX, PREFIX
from inference.models import CustomVoice, VoiceConsent


@member_view(Action.MANAGE_VOICES)
@require_safe
def show(request: HttpRequest, member: Member) -> HttpResponse:
    return _page(request, member)


@member_view(Action.MANAGE_VOICES)
@require_POST
def create_consent(request: HttpRequest, member: Member) -> HttpResponse:
    form = ConsentForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, member, consent_form=form)

    def keep() -> str:
        asked = parse(NewConsent, form.cleaned_data)
        consent = voice_actions.create_consent(member.organization.id, asked, by=member.actor)
        return f"The consent of “{consent.name}” is kept. Now record the voice."

    return _done(request, member, keep)


@member_view(Action.MANAGE_VOICES)
@require_POST
def create(request: HttpRequest, member: Member) -> HttpResponse:
    form = VoiceForm(request.POST, request.FILES, consents=_consents(member))
    if not form.is_valid():
        return _page(request, member, voice_form=form)

    def make() -> str:
        asked = parse(NewVoice, form.cleaned_data)
        voice = voice_actions.create_voice(member.organization.id, asked, by=member.actor)
        return f"“{voice.name}” is ready."

    return _done(request, member, make)


@member_view(Action.MANAGE_VOICES)
@require_POST
def rename(request: HttpRequest, member: Member, voice_id: UUID) -> HttpResponse:
    def put() -> str:
        id = f"{PREFIX}{voice_id.hex}"
        voice_actions.find_voice(member.organization.id, id)
        name = parse(Rename, {"name": request.POST.get("name", "")}).name
        voice_actions.rename_voice(member.organization.id, id, name, by=member.actor)
        return "Saved."

    return _done(request, member, put)


@member_view(Action.MANAGE_VOICES)
@require_POST
def delete(request: HttpRequest, member: Member, voice_id: UUID) -> HttpResponse:
    def drop() -> str:
        voice_actions.delete_voice(member.organization.id, f"{PREFIX}{voice_id.hex}", by=member.actor)
        return "The voice and its recordings are deleted."

    return _done(request, member, drop)


@member_view(Action.MANAGE_VOICES)
@require_POST
def delete_consent(request: HttpRequest, member: Member, consent_id: UUID) -> HttpResponse:
    def drop() -> str:
        voice_actions.delete_consent(member.organization.id, f"{CONSENT_PREFIX}{consent_id.hex}", by=member.actor)
        return "The consent is deleted, with every voice that rested on it."

    return _done(request, member, drop)


@member_view(Action.MANAGE_VOICES)
@require_safe
def sample(request: HttpRequest, member: Member, voice_id: UUID) -> HttpResponse:
    found = CustomVoice.objects.filter(id=voice_id, organization=member.organization).only("sample").first()
    return _audio(request, None if found is None else bytes(found.sample))


@member_view(Action.MANAGE_VOICES)
@require_safe
def recording(request: HttpRequest, member: Member, consent_id: UUID) -> HttpResponse:
    of_it = VoiceConsent.objects.filter(id=consent_id, organization=member.organization)
    found = of_it.only("recording").first()
    return _audio(request, None if found is None else bytes(found.recording))


def _page(request: HttpRequest, member: Member, **forms: Any) -> HttpResponse:
    consents, voices = _consents(member), custom_voices.voices(member.organization.id)
    context = {
        "member": member,
        "section": "voices",
        "voices": list(voices.select_related("consent").defer("consent__recording", *custom_voices.HEAVY)),
        "consents": consents,
        "most": custom_voices.most_of(member.organization),
        "can_clone": voices_on_offer.offer().can_clone,
        "phrases": {code: consent_phrases.phrase(code) for code in consent_phrases.PHRASES},
        "consent_form": ConsentForm(auto_id="consent_%s"),
        "voice_form": VoiceForm(consents=consents, auto_id="voice_%s"),
        **forms,
    }
    return render(request, "console/voices.html", context, status=400 if forms else 200)


def _done(request: HttpRequest, member: Member, act: Callable[[], str]) -> HttpResponse:
    """Do it and go back to the page, which says how it went. Raises Http404 for another organization's."""
    try:
        messages.success(request, act())
    except ApiError as refusal:
        if refusal.code in ("voice_not_found", "consent_not_found"):
            raise Http404 from None
        messages.error(request, _plain(refusal))
    return redirect("voices", member.organization.id)


def _plain(refusal: ApiError) -> str:
    """What went wrong, without the API's name of the field."""
    why = refusal.message.removeprefix(f"Invalid value for {refusal.param!r}: ")
    return f"The recording cannot be used: {why}" if refusal.code == "invalid_audio" else refusal.message


def _consents(member: Member) -> list[VoiceConsent]:
    return list(custom_voices.consents(member.organization.id))


def _audio(request: HttpRequest, data: bytes | None) -> HttpResponse:
    """A FLAC file, whole or the range that a player asks for."""
    if data is None:
        raise Http404
    headers = {"accept-ranges": "bytes"}
    wanted = ranges.parse(request.headers.get("range", ""), len(data))
    if wanted is None:
        return HttpResponse(data, content_type="audio/flac", headers=headers)
    if not wanted:
        return HttpResponse(status=416, headers={"content-range": f"bytes */{len(data)}"})
    headers["content-range"] = f"bytes {wanted.start}-{wanted.stop - 1}/{len(data)}"
    part = data[wanted.start : wanted.stop]
    return HttpResponse(part, status=206, content_type="audio/flac", headers=headers)
