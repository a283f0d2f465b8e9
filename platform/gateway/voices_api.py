"""/v1/audio/voices and /v1/audio/voice_consents, in OpenAI's shape; and the voices of its own that a key sees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db.models import QuerySet
from django.http import HttpRequest, UnreadablePostError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.audit import KeyActor
from accounts.identifiers import parse_prefixed
from accounts.models import ApiKey
from gateway import uploads, voice_actions
from gateway.errors import body_too_large, client_closed, invalid, unsupported_type
from gateway.pages import Page
from gateway.parsing import parse, read_json
from gateway.rest import ManagementView
from gateway.voice_schemas import NewConsent, NewVoice, Rename
from inference import custom_voices
from inference.custom_voices import CONSENT_PREFIX, PREFIX
from inference.models import CustomVoice, VoiceConsent

Thing = TypeVar("Thing", VoiceConsent, CustomVoice)


class _View(ManagementView):
    def by(self, request: Request) -> KeyActor:
        key = ApiKey.objects.only("public_id").get(id=self.principal(request).key_id)
        return KeyActor(name=key.named, address=request.META.get("REMOTE_ADDR") or None)


class ConsentsView(_View):
    def get(self, request: Request) -> Response:
        asked = parse(Page, request.query_params.dict())
        of_it = custom_voices.consents(self.principal(request).organization_id)
        return Response(as_list(of_it, consent_as_json, asked, CONSENT_PREFIX))

    def post(self, request: Request) -> Response:
        asked = parse(NewConsent, uploads.read_form(_django(request)))
        organization_id = self.principal(request).organization_id
        return Response(consent_as_json(voice_actions.create_consent(organization_id, asked, by=self.by(request))))


class ConsentView(_View):
    def get(self, request: Request, consent_id: str) -> Response:
        consent = voice_actions.find_consent(self.principal(request).organization_id, consent_id)
        return Response(consent_as_json(consent))

    def post(self, request: Request, consent_id: str) -> Response:
        """Rename it."""
        organization_id = self.principal(request).organization_id
        voice_actions.find_consent(organization_id, consent_id)  # a stranger's id is refused before the body is
        consent = voice_actions.rename_consent(organization_id, consent_id, _name_in(request), by=self.by(request))
        return Response(consent_as_json(consent))

    def delete(self, request: Request, consent_id: str) -> Response:
        voice_actions.delete_consent(self.principal(request).organization_id, consent_id, by=self.by(request))
        return Response({"id": consent_id, "object": "audio.voice_consent", "deleted": True})


class VoicesView(_View):
    """GET is `models_api.list_audio_voices`, which answers without a key, too."""

    def post(self, request: Request) -> Response:
        asked = parse(NewVoice, uploads.read_form(_django(request)))
        organization_id = self.principal(request).organization_id
        return Response(voice_as_json(voice_actions.create_voice(organization_id, asked, by=self.by(request))))


class VoiceView(_View):
    def get(self, request: Request, voice_id: str) -> Response:
        return Response(voice_as_json(voice_actions.find_voice(self.principal(request).organization_id, voice_id)))

    def post(self, request: Request, voice_id: str) -> Response:
        """Rename it."""
        organization_id = self.principal(request).organization_id
        voice_actions.find_voice(organization_id, voice_id)
        voice = voice_actions.rename_voice(organization_id, voice_id, _name_in(request), by=self.by(request))
        return Response(voice_as_json(voice))

    def delete(self, request: Request, voice_id: str) -> Response:
        voice_actions.delete_voice(self.principal(request).organization_id, voice_id, by=self.by(request))
        return Response({"id": voice_id, "object": "audio.voice.deleted", "deleted": True})


def consent_as_json(consent: VoiceConsent) -> dict[str, Any]:
    return {
        "id": f"{CONSENT_PREFIX}{consent.id.hex}",
        "object": "audio.voice_consent",
        "name": consent.name,
        "language": consent.language,
        "text": consent.text,
        "created_at": int(consent.created_at.timestamp()),
    }


def voice_as_json(voice: CustomVoice) -> dict[str, Any]:
    return {
        "id": f"{PREFIX}{voice.id.hex}",
        "object": "audio.voice",
        "type": "audio_sample",
        "name": voice.name,
        "consent": f"{CONSENT_PREFIX}{voice.consent_id.hex}",
        "created_at": int(voice.created_at.timestamp()),
    }


def as_list(
    newest_first: QuerySet[Thing], as_json: Callable[[Thing], dict[str, Any]], asked: Page, prefix: str
) -> dict[str, Any]:
    """One page of a list. `after` may name an item that was deleted meanwhile.

    Raises:
        ApiError: 400 for an `after` that is no id.
    """
    if asked.after is not None:
        after = parse_prefixed(prefix, asked.after)
        if after is None:
            raise invalid(f"Invalid value for 'after': expected an id, `{prefix}…`.", param="after")
        newest_first = newest_first.filter(id__lt=after)
    return asked.listed(list(newest_first[: asked.limit + 1]), as_json)


def list_voices(organization_id: UUID, asked: Page) -> dict[str, Any]:
    return as_list(custom_voices.voices(organization_id), voice_as_json, asked, PREFIX)


def _name_in(request: Request) -> str:
    """Raises ApiError: 400, 413 or 415; 499 where the client has gone."""
    media_type = (request.content_type or "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise unsupported_type(media_type, send="application/json")
    try:
        body = _django(request).body
    except RequestDataTooBig:
        raise body_too_large(settings.DATA_UPLOAD_MAX_MEMORY_SIZE) from None
    except UnreadablePostError:
        raise client_closed() from None
    return parse(Rename, read_json(body)).name


def _django(request: Request) -> HttpRequest:
    """The request as Django reads it, whose parsers know forms with files."""
    django: HttpRequest = request._request
    return django
