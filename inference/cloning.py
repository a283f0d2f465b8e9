"""What a worker needs to speak like a recording: its codes, computed now or kept with a customer's voice.

The worker's side of `inference.custom_voices`: this needs numpy, which the web side does without.
"""

from __future__ import annotations

import io
from uuid import UUID

import numpy as np

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
    voices = {
        voice.id: voice
        for voice in CustomVoice.objects.filter(organization=job.organization_id, id__in=own.values())
    }
    found = {}
    for name, id in own.items():
        if id not in voices:
            raise Unspeakable("voice_not_found", f"there is no voice {name} any more")
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
    voice = CustomVoice.objects.filter(id=voice_id).first()
    if voice is not None and cloner is not None:
        _codes_of(voice, cloner)


def _codes_of(voice: CustomVoice, cloner: VoiceCloner) -> Codes:
    """Raises Unspeakable: the sample has no voice, which it was checked for when it came."""
    if voice.codes is not None and voice.codec == cloner.codec:
        kept: Codes = np.load(io.BytesIO(bytes(voice.codes)), allow_pickle=False)
        return kept
    try:
        codes = cloner.encode(bytes(voice.sample)).codes
    except ValueError as error:
        raise Unspeakable("invalid_recording", str(error)) from error
    file = io.BytesIO()
    np.save(file, codes, allow_pickle=False)
    CustomVoice.objects.filter(id=voice.id).update(codes=file.getvalue(), codec=cloner.codec)
    return codes
