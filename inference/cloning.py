"""What a worker needs to speak like a recording: its codes, computed now or kept with a customer's voice.

The worker's side of `inference.custom_voices`: this needs numpy, which the web side does without.
"""

from __future__ import annotations

import io
from uuid import UUID

import numpy as np
from django.db import connection

from accounts.identifiers import parse_prefixed
from inference.custom_voices import PREFIX
from inference.engines.protocol import Codes, Unspeakable, VoiceCloner, VoiceReference
from inference.models import CustomVoice, SynthesisJob
from inference.speech.voices import recorded_name


def references(job: SynthesisJob, cloner: VoiceCloner | None) -> dict[str, VoiceReference]:
    """The voices that a job brings along, by name: its recordings, and its organization's own voices.

    Encoding a recording takes seconds. A custom voice's codes are kept, and computed again for another codec.

    Raises:
        Unspeakable: the engine cannot clone, a custom voice was deleted meanwhile, or a recording has no voice.
    """
    recorded = {recorded_name(number): number for number in range(len(job.recordings))}
    named = [name for name in (job.voice, *job.voices.values()) if name not in recorded]
    own = {name: id for name in named if (id := parse_prefixed(PREFIX, name)) is not None}
    if not recorded and not own:
        return {}
    if cloner is None:
        raise Unspeakable("voice_not_supported", "this engine cannot speak like a recording")
    of_it = CustomVoice.objects.filter(organization=job.organization_id, id__in=own.values())
    voices = {voice.id: voice for voice in of_it.defer("sample")}
    connection.close()  # back to the pool: encoding takes seconds and needs none
    found = {}
    for name, id in own.items():
        if id not in voices:
            raise _gone(id)
        found[name] = VoiceReference(voices[id].transcript, _codes_of(voices[id], cloner))
    for name, number in recorded.items():
        try:
            encoded = cloner.encode(bytes(job.recordings[number]))
        except ValueError as error:
            raise Unspeakable("invalid_recording", str(error)) from error
        # The words of a recording that was cut say more than is heard in it.
        found[name] = VoiceReference(job.recorded_texts[number] if encoded.whole else "", encoded.codes)
    return found


def encode(voice_id: UUID, cloner: VoiceCloner | None) -> None:
    """Compute and keep a voice's codes, unless it is gone, has them, or the engine cannot clone."""
    voice = CustomVoice.objects.defer("sample").filter(id=voice_id).first()
    if voice is not None and cloner is not None:
        _codes_of(voice, cloner)


def _codes_of(voice: CustomVoice, cloner: VoiceCloner) -> Codes:
    """The codes that are kept, or else made now of the sample.

    Raises:
        Unspeakable: the voice was deleted meanwhile, or its sample, which was checked when it came, has none.
    """
    if voice.codes is not None and voice.codec == cloner.codec:
        kept: Codes = np.load(io.BytesIO(bytes(voice.codes)), allow_pickle=False)
        return kept
    sample = CustomVoice.objects.filter(id=voice.id).values_list("sample", flat=True).first()
    connection.close()
    if sample is None:
        raise _gone(voice.id)
    try:
        codes = cloner.encode(bytes(sample)).codes
    except ValueError as error:
        raise Unspeakable("invalid_recording", str(error)) from error
    file = io.BytesIO()
    np.save(file, codes, allow_pickle=False)
    CustomVoice.objects.filter(id=voice.id).update(codes=file.getvalue(), codec=cloner.codec)
    return codes


def _gone(voice_id: UUID) -> Unspeakable:
    return Unspeakable("voice_not_found", f"voice {voice_id} was deleted")
