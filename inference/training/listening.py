"""A page to listen to: held-out sentences said by the teacher and by the voice, and its thirteen renderings."""

from __future__ import annotations

from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.engines.higgs.engine import HiggsEngine, Options
from inference.speech.encoding import encode_file
from inference.training.corpus import CorpusUtterance, held_out
from inference.training.run import Run
from inference.training.saying import say
from inference.training.teacher import Teacher

Floats = NDArray[np.float32]

SENTENCES = 12
GREETING = "Hello, and thank you for calling. How can I help you today?"
FORMAT = "opus"
SUFFIX = "ogg"

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>The voice: samples</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ text-align: left; padding: .5rem; border-bottom: 1px solid #ddd; vertical-align: middle; }}
audio {{ width: 15rem; }}
</style>
<h1>The voice: samples</h1>
<p>No sentence on this page was trained on. The teacher is hibari-tts, voice "heart"; the voice is the checkpoint
<code>{checkpoint}</code>, spoken by the product's engine.</p>
<h2>Teacher and voice</h2>
<table>
<tr><th>Sentence<th>Teacher<th>Voice
{sentences}
</table>
<h2>The thirteen voices</h2>
<p>“{greeting}”</p>
<table>
<tr><th>Voice<th>Sample
{voices}
</table>
</html>
"""


def write(run: Run, checkpoint: Path, out: Path, *, voice: str = "alloy") -> None:
    """Write `index.html` and its samples to `out`, all from held-out sentences.

    Raises:
        SystemExit: the corpus has no held-out sentence.
    """
    chosen = _spread(held_out(run.folder / "corpus", 10_000))
    out.mkdir(parents=True, exist_ok=True)
    teacher, engine = Teacher(run.folder), HiggsEngine(checkpoint, Options())
    try:
        rows = []
        for number, utterance in enumerate(chosen, 1):
            taught = _save(out / f"{number:02}-teacher", teacher.say(utterance.phonemes, seed=0).audio)
            spoken = _save(out / f"{number:02}-voice", say(engine, utterance.text, voice).audio)
            rows.append(f"<tr><td>{escape(utterance.text)}<td>{taught}<td>{spoken}")
        names = sorted(engine.voices)
        heard = [_save(out / f"voice-{name}", say(engine, GREETING, name).audio) for name in names]
        voices = [f"<tr><td>{name}<td>{sample}" for name, sample in zip(names, heard, strict=True)]
        page = _PAGE.format(
            checkpoint=escape(engine.model), sentences="\n".join(rows), greeting=GREETING, voices="\n".join(voices)
        )
    finally:
        engine.close()
    (out / "index.html").write_text(page, "utf-8")


def _spread(utterances: list[CorpusUtterance]) -> list[CorpusUtterance]:
    """From the shortest to the longest, evenly."""
    if not utterances:
        raise SystemExit("the corpus has no held-out sentence")
    ordered = sorted(utterances, key=lambda utterance: utterance.frames)
    places = np.linspace(0, len(ordered) - 1, min(SENTENCES, len(ordered))).round().astype(int)
    return [ordered[place] for place in places]


def _save(path: Path, audio: Floats) -> str:
    """Returns the player's markup."""
    path.with_name(f"{path.name}.{SUFFIX}").write_bytes(encode_file(FORMAT, audio))
    return f'<audio controls preload="none" src="{path.name}.{SUFFIX}"></audio>'
