"""The voices of its own that a request names: whether the organization has them, and the engine can speak so."""

from __future__ import annotations

from uuid import UUID

from accounts.identifiers import parse_prefixed
from accounts.keys import Principal
from gateway.errors import ApiError, not_found, voice_not_supported
from gateway.service import Service
from gateway.speech.speech_request import SpeechOrder
from inference import custom_voices


async def check(service: Service, principal: Principal, order: SpeechOrder) -> None:
    """Refuse what cannot be spoken in.

    Raises:
        ApiError: 404 for a voice that is unknown or another organization's; 400 where the engine cannot clone.
    """
    named = _named(order)
    if not named:
        return
    own = await custom_voices.existing(service.database, named, organization_id=principal.organization_id)
    for id, param in named.items():
        if id not in own:
            raise unknown(f"{custom_voices.PREFIX}{id.hex}", param)
    if not await service.workers.can_clone():
        raise voice_not_supported(next(iter(named.values())))


def unknown(name: str, param: str) -> ApiError:
    return not_found(f"No voice with id {name[:100]!r}.", code="voice_not_found", param=param)


def _named(order: SpeechOrder) -> dict[UUID, str]:
    """By id: where in the request the voice is named."""
    places = {f"{order.voice_param}s.{speaker}": voice for speaker, voice in order.voices.items()}
    places[order.voice_param] = order.voice
    return {id: param for param, name in places.items() if (id := parse_prefixed(custom_voices.PREFIX, name))}
