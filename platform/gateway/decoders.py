"""Decoders of audio that others sent or keep: each a process of its own, without secrets, for a bounded time."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from django.conf import settings

from gateway.errors import ApiError, invalid, unavailable
from inference.speech import flaws, reference
from inference.speech.reference import Purpose


async def run(command: list[str], *, seconds: float) -> int:
    """Run a decoder's process and return its exit status; none is left behind, whatever ends the waiting.

    Raises:
        TimeoutError: it takes longer than `seconds`.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        cwd=settings.PROJECT_ROOT,
        env={"PATH": os.environ.get("PATH", "")},  # it needs no secret
    )
    try:
        async with asyncio.timeout(seconds):
            return await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await asyncio.shield(process.wait())


async def read_recording(
    source: Path,
    *,
    format: str,
    seconds: int,
    purpose: Purpose,
    param: str,
    patience_seconds: float,
    phrase: str = "",
) -> bytes:
    """The recording in a file as FLAC, if it can be a voice. What is decoded lies beside the file meanwhile.

    Args:
        phrase: the text that is read in it; "" where it may be any.

    Raises:
        ApiError: 400, it has a flaw, or is longer than `seconds`; 503, its decoder takes too long.
    """
    target = source.with_name("target")
    command = reference.command(
        source, target, format=format, seconds=seconds, purpose=purpose, phrase_characters=len(phrase)
    )
    try:
        status = await run(command, seconds=patience_seconds)
    except TimeoutError:
        raise unavailable(
            "The recording could not be read in time. Please try again.",
            code="recordings_busy",
            retry_after_seconds=2,
        ) from None
    if status:
        raise unusable(param, flaws.explain(status, format=format, seconds=seconds))
    return await asyncio.to_thread(target.read_bytes)


def unusable(param: str, why: str) -> ApiError:
    return invalid(f"Invalid value for {param!r}: {why}.", param=param, code="invalid_audio")
