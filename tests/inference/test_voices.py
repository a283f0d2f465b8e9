"""The table of voices, and what the engines and the gateway add to it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.speech.casting import cast
from inference.engines.higgs.speakers import DESCRIBED
from inference.engines.preview.renderings import RENDERINGS
from inference.speech import voices
from inference.speech.voices import CATALOG, VOICES, Voice

TALK = "[SPEAKER0] Good morning. [SPEAKER1] Good morning. [SPEAKER2] And to you."
ROOMS = ("inference", "platform", "billing")


def test_every_engine_knows_every_voice() -> None:
    export = pytest.importorskip("inference.training.export")
    assert VOICES == tuple(RENDERINGS) == tuple(export.RENDERINGS) == tuple(DESCRIBED)


def test_a_prompt_describes_a_voice_as_the_table_does() -> None:
    voice = CATALOG["sage"]
    assert DESCRIBED["sage"].description == f"Feminine, {voice.description}, very clear audio"
    assert voices.find("Narrator-2") == Voice("Narrator-2")
    assert voices.find("Narrator-2").profile == ""


def test_nobody_else_lists_the_voices() -> None:
    """A file that names six of them in one statement has a table of its own."""
    root = Path(__file__).parents[2]
    own = {"inference/speech/voices.py", "inference/engines/preview/renderings.py", "inference/training/export.py"}
    name = re.compile(rf"\"({'|'.join(VOICES)})\"")
    found = {
        str(path.relative_to(root))
        for room in ROOMS
        for path in (root / room).rglob("*.py")
        if len(set(name.findall(path.read_text("utf-8")))) > len(VOICES) // 2
    }
    assert found - {"platform/console/playground.py"} == own, "the playground's texts name a voice each"


@pytest.mark.parametrize(
    ("scene", "offered", "expected"),
    [
        ("SPEAKER0: male\nSPEAKER1: masculine\nSPEAKER2: a female voice", VOICES, ["echo", "onyx", "nova"]),
        ("SPEAKER0: feminine\nSPEAKER1: feminine", ("alloy", "sage", "marin"), ["sage", "marin", "alloy"]),
        ("SPEAKER0: masculine", ("Anna", "Bert"), ["Anna", "Bert", "Anna"]),
    ],
)
def test_a_scene_casts_by_gender_among_the_voices_on_offer(
    scene: str, offered: tuple[str, ...], expected: list[str]
) -> None:
    made = cast(TALK, scene=scene, voice=offered[0], voices=None, offered=offered, param="voices")
    assert list(made.values()) == expected
