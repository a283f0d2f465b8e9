"""Facts that are written down once: the audio units, and the fields of what is to be spoken."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from billing.models import usage
from gateway.speech.speech_request import SpeechOrder
from inference import audio
from inference.jobs import NewJob
from inference.models import SynthesisJob
from inference.speech.spec import SpeechSpec

ROOT = Path(__file__).parents[2]


def test_billing_and_inference_count_in_the_same_units() -> None:
    assert (usage.SAMPLES_PER_MS, usage.SAMPLES_PER_FRAME) == (audio.SAMPLES_PER_MS, audio.SAMPLES_PER_FRAME)


def test_nobody_else_writes_the_units_down() -> None:
    """Neither as a constant nor as a default; `resample` says of which rates there are."""
    unit = re.compile(r"(=|\*|/) *(24_?000|960)\b")
    found = {
        str(path.relative_to(ROOT))
        for room in ("billing", "inference", "platform")
        for path in (ROOT / room).rglob("*.py")
        if "migrations" not in path.parts and unit.search(path.read_text("utf-8"))
    }
    assert found == {"billing/models/usage.py", "inference/audio.py"}


def test_what_is_to_be_spoken_passes_from_order_to_row() -> None:
    order = SpeechOrder(
        model="m",
        voice="v",
        format="wav",
        text="t",
        style="s",
        max_frames=3,
        expected_frames=3,
        speed=2.0,
        sampling={"seed": 1},
    )
    names = {each.name for each in fields(SpeechSpec)}
    assert set(order.spec()) == names
    assert names < {each.name for each in fields(NewJob)}
    assert names < {column.name for column in SynthesisJob._meta.get_fields()}
