"""Earlier turns of a conversation: answers of ours that a request names by their audio's id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from psycopg_pool import AsyncConnectionPool

from accounts.identifiers import parse_prefixed
from accounts.keys import Principal
from gateway.errors import ApiError, expired, not_found
from inference import stored


@dataclass(frozen=True, slots=True)
class EarlierTurn:
    """An answer that the request goes on from; `param` is where in the request it is named."""

    job_id: UUID
    param: str

    @classmethod
    def named(cls, audio_id: str, param: str) -> EarlierTurn:
        """Raises ApiError: 404 for what is no id of ours."""
        job_id = parse_prefixed("audio_", audio_id)
        if job_id is None:
            raise unknown_audio(audio_id, param)
        return cls(job_id, param)


async def check(database: AsyncConnectionPool, principal: Principal, turns: Sequence[EarlierTurn]) -> None:
    """Refuse turns that are not there.

    Raises:
        ApiError: 404 for audio that is unknown or another organization's, 410 for what has expired.
    """
    if not turns:
        return
    asked = [turn.job_id for turn in turns]
    kept = await stored.are_kept(database, asked, organization_id=principal.organization_id)
    for turn in turns:
        if turn.job_id not in kept:
            raise unknown_audio(f"audio_{turn.job_id.hex}", turn.param)
        if not kept[turn.job_id]:
            raise expired(turn.param)


def unknown_audio(audio_id: str, param: str) -> ApiError:
    return not_found(f"No audio with id {audio_id[:100]!r}.", code="audio_not_found", param=param)
