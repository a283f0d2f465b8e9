"""How exact the words' times are: the voice's alignment head against the teacher's own durations.

The teacher's audio is encoded and given to the model as if it had said it, so that both speak of the same audio.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from inference.higgs.alignment import spoken_tokens
from inference.higgs.checkpoint import load_checkpoint
from inference.higgs.delay import delay
from inference.higgs.linear import matrix_dtype
from inference.higgs.phonemes import PhonemePromptBuilder
from inference.training.codec import CodecModel
from inference.training.mel import BANDS, log_mel
from inference.training.sequences import DURATIONS, FRAMES
from inference.training.teacher import Teacher

LONGEST = 2048


def measure(
    checkpoint: Path, encoder: CodecModel, teacher: Teacher, utterances: Sequence[str]
) -> dict[str, float]:
    """Milliseconds by which the words' beginnings differ: median and 90th percentile over all words.

    Args:
        encoder: of the checkpoint's codec.
        utterances: each one's phonemes.
    """
    model = load_checkpoint(checkpoint, matrices=matrix_dtype("auto", torch.device("cpu"))).model
    builder = PhonemePromptBuilder(checkpoint / "tokenizer.json", model.config)
    cache = model.new_cache(slots=1, length=LONGEST)
    errors: list[float] = []
    for phonemes in utterances:
        spoken = teacher.say(phonemes, seed=0)
        mel = log_mel(spoken.audio)
        padded = np.concatenate([mel, np.repeat(mel[-1:], -len(mel) % 16, 0)])
        frames = encoder.encode(torch.from_numpy(padded.reshape(1, -1, BANDS)))[0].long()
        frames = frames[: -(-len(mel) * 5 // 16)]
        prompt = builder.spell(phonemes)
        length = len(prompt.tokens)
        if len(spoken.durations) != length - 1 or length + len(frames) > LONGEST:
            continue  # a sign that the tokenizer lacks
        rows = delay(frames, model.config)[: len(frames)]
        model.prefill([prompt.extended(rows, model.config.audio_out_id)], [0], cache)
        certainty = model.alignment(cache, 0, slice(0, length - 1), slice(length, length + len(frames)))
        path = spoken_tokens(certainty.numpy())
        ends = np.cumsum(spoken.durations) / DURATIONS
        begins = [
            1 + place
            for place, sign in enumerate(phonemes)
            if sign != " " and (not place or phonemes[place - 1] == " ")
        ]
        errors += [abs(np.searchsorted(path, token) / FRAMES - ends[token - 1]) for token in begins]
    if not errors:
        return {}
    middle, most = np.percentile(1000 * np.array(errors), [50, 90])
    return {"words": float(len(errors)), "median_ms": float(middle), "p90_ms": float(most)}
