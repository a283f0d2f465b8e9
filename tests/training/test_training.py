"""The whole way at the smallest size, through the commands, to a checkpoint that the engine speaks with."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("hibari", reason="the teacher is an extra: pip install -e .[training]")
pytest.importorskip("onnx", reason="the teacher is an extra: pip install -e .[training]")

from inference.engines.higgs.engine import HiggsEngine, Options  # noqa: E402
from inference.engines.protocol import Segment, SpeechRequest  # noqa: E402
from inference.higgs.checkpoint import load_checkpoint  # noqa: E402
from inference.higgs.codecs import load_codec  # noqa: E402
from inference.higgs.config import load_config  # noqa: E402
from inference.higgs.model import Prompt  # noqa: E402
from inference.higgs.phonemes import PhonemePromptBuilder  # noqa: E402
from inference.higgs.silence import load_silence  # noqa: E402
from inference.higgs.tensors import CheckpointError  # noqa: E402
from inference.training import codec, corpus, distill, sequences, templates  # noqa: E402
from inference.training.following import follow  # noqa: E402
from inference.training.larger import LargerTeacher, divergence  # noqa: E402
from inference.training.mel import log_mel  # noqa: E402
from inference.training.names import Names, wordnet_names  # noqa: E402
from inference.training.network import Student  # noqa: E402
from inference.training.recipe import TINY  # noqa: E402
from inference.training.run import Run  # noqa: E402
from inference.training.sentences import Sentence  # noqa: E402
from inference.training.student import higgs_config  # noqa: E402
from tests.training.commands import ENVIRONMENT, ROOT, Interrupted, command, run  # noqa: E402

pytestmark = pytest.mark.xdist_group("training")  # one process trains the tiny voice, and not each


def curve(folder: Path, stage: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / f"{stage}.jsonl").read_text().splitlines()]


def test_the_export_is_spoken_by_the_engine(trained: Path) -> None:
    folder = trained / "checkpoint"
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 60_000_000
    engine = HiggsEngine(folder, Options(context=512))
    try:
        assert len(engine.voices) == 13
        segments = (Segment("One moment, please.", "alloy"), Segment("Who is it?", "onyx"))
        generation = engine.submit(SpeechRequest(id="job", segments=segments, seed=3, max_frames=40))
        chunks = list(generation)
    finally:
        engine.close()
    assert generation.finish_reason in ("stop", "length")
    assert all(np.isfinite(chunk.pcm).all() and len(chunk.pcm) == 960 * chunk.frames for chunk in chunks)


def test_the_export_knows_the_codes_of_silence(trained: Path) -> None:
    """As the codec's encoder hears it."""
    found = load_silence(trained / "checkpoint", load_config(trained / "checkpoint"))
    assert found is not None
    mel = torch.from_numpy(log_mel(np.zeros(48_000, np.float32)))[None]
    heard = codec.load_trained(trained, TINY.codec).encode(mel)[0]
    assert found.codes.tolist() in heard.tolist()
    assert (found.before, found.after) == (6, 9)


@pytest.mark.parametrize("held", [False, True], ids=["everywhere", "in windows"])
def test_training_and_inference_compute_the_same(trained: Path, held: bool) -> None:
    """Logits of every row of a sequence, fed by the loader's network as a prompt and rows that are known."""
    folder = trained / "checkpoint"
    model = load_checkpoint(folder, matrices=torch.float32).model
    window = model.config.alignment_window
    assert window is not None
    if not held:
        model.config = replace(model.config, alignment_window=None)
    student = Student(model.config)
    state = Run(trained, "distill").load()
    assert state is not None
    # As exported: in float16.
    student.load_state_dict({name: value.half().float() for name, value in state["model"].items()})
    builder = PhonemePromptBuilder(folder / "tokenizer.json", model.config)
    known = sequences.read(trained / "corpus", builder, model.config)
    examples = sorted(known, key=lambda example: example.length)[:2]
    batch = sequences.collate(examples, model.config)
    aligned = TINY.student.aligned_layers
    windows = follow(student, batch, aligned=aligned, behind=window[0], ahead=window[1]) if held else None
    with torch.no_grad():
        logits, _ = student(batch, aligned=aligned, windows=windows)
    cache = model.new_cache(slots=1, length=1024)
    done = 0
    for example in examples:
        rows = example.rows[:-1]
        model.prefill([Prompt(example.tokens, rows[:0])], [0], cache)
        if cache.follower is not None:
            cache.follower.begin(0, slice(0, len(example.tokens) - 1))
        for place, row in enumerate(rows):
            position = torch.tensor([len(example.tokens) + place])
            step = model.decode(row[None], torch.tensor([0]), position, cache, 1024)
            torch.testing.assert_close(step[0], logits[done + place], atol=1e-4, rtol=1e-4)
        done += len(rows)


def test_the_codec_that_is_exported_is_the_one_that_was_trained(trained: Path) -> None:
    exported = load_codec(trained / "checkpoint" / "codec")
    state = Run(trained, "codec").load()
    assert state is not None
    books: Any = exported.quantizer.codebooks  # type: ignore[attr-defined]
    torch.testing.assert_close(books, state["model"]["quantizer.codebooks"], atol=2e-3, rtol=2e-3)


def test_the_same_seed_makes_the_same_corpus(trained: Path, tmp_path: Path) -> None:
    corpus.make(Run(tmp_path, "corpus"), TINY, sources=None)
    here, there = tmp_path / "corpus", trained / "corpus"
    assert (here / "00000.json").read_bytes() == (there / "00000.json").read_bytes()
    for kind in ("mel", "features"):
        # Float16, of sums whose order the number of threads decides.
        ours, theirs = (np.load(folder / f"00000.{kind}.npy") for folder in (here, there))
        np.testing.assert_allclose(ours, theirs, atol=0.02)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("stage", ["codec", "distill"])
def test_an_interrupted_stage_ends_as_one_that_was_not(trained: Path, tmp_path: Path, stage: str) -> None:
    """To the last weight: the optimizers, the order of the data and the random numbers go on, too."""
    train = {"codec": codec.train, "distill": distill.train}[stage]
    for name in ("corpus", *(["codec.pt"] if stage == "distill" else [])):
        (tmp_path / name).symlink_to(trained / name)
    train(Interrupted(tmp_path, stage, 3), TINY)
    state, whole = Run(tmp_path, stage).load(), Run(trained, stage).load()
    assert state is not None
    assert whole is not None
    assert 0 < state["step"] <= 3
    train(Run(tmp_path, stage), TINY)
    state = Run(tmp_path, stage).load()
    assert state is not None
    assert state["step"] == 6
    for name, value in whole["model"].items():
        torch.testing.assert_close(state["model"][name], value, msg=name)


def test_a_stage_that_is_told_to_end_saves_first(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "corpus").symlink_to(trained / "corpus")
    run(tmp_path, "codec", "--hours", "0")
    state = Run(tmp_path, "codec").load()
    assert state is not None
    assert state["step"] == 0


def test_a_checkpoint_is_gone_on_with(trained: Path, tmp_path: Path) -> None:
    """`import` is the way back from `export`: the same codec and student, which learns on and is spoken again."""
    run(tmp_path, "import", "--out", str(trained / "checkpoint"))
    (tmp_path / "corpus").symlink_to(trained / "corpus")
    for stage in ("codec", "distill"):
        ours, theirs = Run(tmp_path, stage).load(), Run(trained, stage).load()
        assert ours is not None
        assert theirs is not None
        assert ours["model"].keys() == theirs["model"].keys()
        for name, value in theirs["model"].items():
            torch.testing.assert_close(ours["model"][name], value, atol=2e-3, rtol=2e-3, msg=name)
    again = subprocess.run(
        command(tmp_path, "import", "--out", str(trained / "checkpoint")),
        cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True,
    )  # fmt: skip
    assert again.returncode
    assert "is there already" in again.stderr
    with pytest.raises(SystemExit, match="imported"):
        codec.train(Run(tmp_path, "codec"), TINY)
    distill.train(Run(tmp_path, "distill"), TINY)
    state = Run(tmp_path, "distill").load()
    assert state is not None
    assert state["step"] == TINY.student.steps


def test_a_student_learns_from_a_larger_network(trained: Path, tmp_path: Path) -> None:
    """Its loss is another with a teacher than without, and the divergence from itself is nothing."""
    for name in ("corpus", "codec.pt"):
        (tmp_path / name).symlink_to(trained / name)
    run(tmp_path, "distill", "--teacher", str(trained / "checkpoint"))
    with_teacher = [line["loss"] for line in curve(tmp_path, "distill") if "loss" in line]
    without = [line["loss"] for line in curve(trained, "distill") if "loss" in line]
    assert with_teacher != without
    logits = torch.randn(5, 12, 18)
    counted = torch.ones(5, 12)
    torch.testing.assert_close(divergence(logits, logits, counted), torch.zeros(12))
    assert (divergence(logits, logits.flip(-1), counted) > 0).all()


def test_a_teacher_of_other_codes_is_refused(trained: Path) -> None:
    other = replace(higgs_config(TINY), codebook_size=104)
    with pytest.raises(CheckpointError, match="codebook_size"):
        LargerTeacher(trained / "checkpoint", other)


def test_what_is_held_out_is_never_trained_on(trained: Path, tmp_path: Path) -> None:
    """Where a whole corpus is held out, neither stage has anything to learn from."""
    shutil.copytree(trained / "corpus", tmp_path / "corpus")
    listing = tmp_path / "corpus" / "00000.json"
    spoken = [{**utterance, "held_out": True} for utterance in json.loads(listing.read_text())]
    listing.write_text(json.dumps(spoken))
    shutil.copy(trained / "codec.pt", tmp_path)
    for stage in ("codec", "distill"):
        done = subprocess.run(command(tmp_path, stage), cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True)
        assert done.returncode
        assert "held out" in done.stderr


def test_a_hundredth_is_held_out_by_its_letters() -> None:
    random = Random(0)
    drawn = {templates.draw(random, Names()) for _ in range(20_000)}
    share = sum(Sentence(text, "own").held_out for text in drawn) / len(drawn)
    assert 0.007 < share < 0.013
    assert all(Sentence(t, "a").held_out == Sentence(t.upper() + "!", "b").held_out for t in list(drawn)[:500])


def test_names_are_those_of_people_and_places(tmp_path: Path) -> None:
    """Of WordNet's instances, and of no other noun."""
    (tmp_path / "data.noun").write_text(
        "08949093 15 n 02 Warsaw 0 capital_of_Poland 0 002 @i 08691669 n 0000 #p 08948704 n 0000 | the capital\n"
        "11082842 18 n 02 Kafka 0 Franz_Kafka 0 001 @i 10794014 n 0000 | Czech novelist\n"
        "10020890 18 n 01 doctor 0 001 @ 10305802 n 0000 | a licensed practitioner\n"
        "01315613 04 n 01 Thirty_Years_War 0 001 @i 00973077 n 0000 | a series of conflicts\n",
        "latin-1",
    )
    names, ours = wordnet_names(tmp_path / "data.noun"), Names()
    assert set(names.places) - set(ours.places) == {"Warsaw"}
    assert set(names.given) - set(ours.given) == {"Franz"}
    assert set(names.family) - set(ours.family) == {"Kafka"}


def test_the_recipe_is_the_published_dialect() -> None:
    config = higgs_config(TINY)
    assert (config.layout, config.text_frontend, config.codebook_size) == ("huggingface", "phonemes", 18)
