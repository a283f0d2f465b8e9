"""What ends a request that does not end by itself, and what an engine survives."""

from __future__ import annotations

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from safetensors.torch import load_file, save_file  # noqa: E402

from inference.engines.higgs import guards  # noqa: E402
from inference.engines.higgs.engine import HiggsEngine  # noqa: E402
from inference.engines.higgs.runners import EagerRunner  # noqa: E402
from inference.engines.higgs.vocoder import Vocoder  # noqa: E402
from inference.engines.protocol import EngineError, GenerationCancelled  # noqa: E402
from inference.higgs.checkpoint import CheckpointError  # noqa: E402
from inference.higgs.config import ConfigError  # noqa: E402
from tests.engine.checkpoints import EOS, codes_of, frames_of, listen, request, speak  # noqa: E402
from tests.engine.conftest import MakeEngine  # noqa: E402
from tests.live import ROOT  # noqa: E402

TEXTS = ("Hello there, how do you do?", "This is the second sentence.", "And a third.")


def changed(checkpoint: Path, folder: Path, file: str, **tensors: Any) -> Path:
    """A copy of a checkpoint in which each named tensor is what the function given makes of it."""
    shutil.copytree(checkpoint, folder)
    weights = load_file(folder / file)
    for name, change in tensors.items():
        weights[name] = change(weights[name])
    save_file(weights, folder / file, {"format": "pt"})
    return folder


def test_max_frames_cuts_exactly(engine: HiggsEngine) -> None:
    whole = frames_of(speak(engine, TEXTS[0]))
    count = len(whole)
    for limit, reason in ((1, "length"), (count - 1, "length"), (count, "stop"), (count + 1, "stop")):
        generation = engine.submit(request(TEXTS[0], max_frames=limit))
        codes, pcm, _ = listen(generation)
        np.testing.assert_array_equal(frames_of(codes), whole[:limit])
        assert len(pcm) == 960 * min(limit, count)
        assert generation.finish_reason == reason


def test_a_limit_at_a_sentences_end_leaves_the_next_unspoken(engine: HiggsEngine) -> None:
    first = frames_of(speak(engine, TEXTS[0]))
    generation = engine.submit(request(*TEXTS, max_frames=len(first)))
    np.testing.assert_array_equal(frames_of(listen(generation)[0]), first)
    assert generation.finish_reason == "length"


def test_a_sentence_that_goes_on_and_on_is_cut(endless_checkpoint: Path, make_engine: MakeEngine) -> None:
    generation = make_engine(endless_checkpoint).submit(request("Hi.", "Never spoken."))
    codes, _, _ = listen(generation)
    assert generation.finish_reason == "length"
    assert len(codes) == guards.frame_cap("Hi.") < 120


def test_a_text_without_sentences_is_nothing(engine: HiggsEngine) -> None:
    generation = engine.submit(request())
    assert list(generation) == []
    assert generation.finish_reason == "stop"


def test_a_sentence_that_falls_silent_ends(
    endless_checkpoint: Path, make_engine: MakeEngine, tmp_path: Path
) -> None:
    mute = changed(
        endless_checkpoint, tmp_path / "mute", "codec/model.safetensors",
        **{"acoustic_decoder.conv2.weight": torch.zeros_like, "acoustic_decoder.conv2.bias": torch.zeros_like},
    )  # fmt: skip
    engine = make_engine(mute)
    texts = ("This would be a sentence of more than four seconds.", "And so would be this second sentence here.")
    generation = engine.submit(request(*texts))
    codes, pcm, chunks = listen(generation)
    assert generation.finish_reason == "stop"
    assert np.flatnonzero((codes == EOS).all(axis=1)).tolist() == [guards.SILENT_FRAMES]
    assert len(pcm) == 2 * guards.SILENT_FRAMES * 960
    resumed = speak(engine, *texts, checkpoint=codes_of(chunks[: len(chunks) // 2 + 2]))
    np.testing.assert_array_equal(resumed, codes)


def test_speech_with_pauses_does_not_end() -> None:
    watch = guards.SilenceWatch()
    silence, noise = np.zeros(60 * 960, np.float32), np.full(960, 0.1, np.float32)
    assert [watch.ends_at(np.concatenate([silence, noise, silence])) for _ in range(1)] == [None]
    assert watch.ends_at(silence) == guards.SILENT_FRAMES - 60


def test_what_is_no_number_fails_one_request_alone(
    checkpoint: Path, make_engine: MakeEngine, tmp_path: Path
) -> None:
    from tests.higgs.oracle import make_tokenizer

    [letter] = make_tokenizer(tmp_path).encode("Z").ids

    def break_letter(embedding: Any) -> Any:
        embedding[letter] = torch.nan
        return embedding

    folder = changed(
        checkpoint, tmp_path / "nan", "model.safetensors", **{"model.embed_tokens.weight": break_letter}
    )
    engine = make_engine(folder, slots=2)
    alone = speak(engine, TEXTS[0], max_frames=40)
    other = engine.submit(request(TEXTS[0], max_frames=40))
    broken = [engine.submit(request(f"Zebra {TEXTS[0]}")) for _ in range(3)]
    for generation in broken:
        with pytest.raises(EngineError, match="something else than numbers"):
            listen(generation)
    np.testing.assert_array_equal(listen(other)[0], alone)
    again = [engine.submit(request(TEXTS[0], max_frames=40)) for _ in range(2)]
    for generation in again:  # both slots, whatever they held
        np.testing.assert_array_equal(listen(generation)[0], alone)
    assert engine.healthy


def test_a_voice_that_nobody_has_fails_the_request(engine: HiggsEngine) -> None:
    with pytest.raises(EngineError, match="no voice is called 'nobody'; there are alloy,"):
        listen(engine.submit(request("Hello.", voice="nobody")))


def test_a_text_that_does_not_fit_fails_the_request(make_engine: MakeEngine) -> None:
    engine = make_engine(context=512)
    with pytest.raises(EngineError, match="leaves no room to speak"):
        listen(engine.submit(request("A word and another, " * 30)))
    assert len(speak(engine, "Hello.", max_frames=5)) == 5


def test_a_cancelled_generation_ends(engine: HiggsEngine) -> None:
    generation = engine.submit(request(*TEXTS))
    next(iter(generation))
    generation.cancel()
    with pytest.raises(GenerationCancelled):
        list(generation)


def test_a_broken_engine_fails_all_and_says_so(make_engine: MakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = make_engine()
    assert engine.healthy

    def fail(*_: object) -> None:
        raise RuntimeError("CUDA error: unspecified launch failure")

    monkeypatch.setattr(Vocoder, "_decode", fail)
    generations = [engine.submit(request(*TEXTS)) for _ in range(6)]
    for generation in generations:
        with pytest.raises(EngineError, match="the engine broke: RuntimeError"):
            listen(generation)
    engine._thread.join()
    assert not engine.healthy
    with pytest.raises(EngineError, match="closed"):
        listen(engine.submit(request(*TEXTS)))


def test_a_closed_engine_fails_what_is_unfinished(endless_checkpoint: Path, make_engine: MakeEngine) -> None:
    engine = make_engine(endless_checkpoint, slots=1, pace_seconds=0.5)
    generations = [engine.submit(request("A long text that is not spoken to its end.")) for _ in range(2)]
    next(iter(generations[0]))
    engine.close()
    engine.close()
    for generation in generations:
        with pytest.raises(EngineError, match="closed"):
            list(generation)


def test_out_of_memory_in_a_step_halves_the_slots_and_loses_nothing(
    make_engine: MakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine(slots=4)
    alone = [speak(engine, *TEXTS, seed=seed) for seed in range(4)]
    launch, launched = EagerRunner.launch, []

    def fail_once(self: EagerRunner, *arguments: Any, **options: Any) -> Any:
        launched.append(arguments)
        if len(launched) == 60:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return launch(self, *arguments, **options)

    monkeypatch.setattr(EagerRunner, "launch", fail_once)
    generations = [engine.submit(request(*TEXTS, seed=seed)) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:  # one that nobody listens to keeps its slot once its mailbox is full
        heard = list(pool.map(listen, generations))
    for (codes, *_), expected in zip(heard, alone, strict=True):
        np.testing.assert_array_equal(codes, expected)
    assert len(launched) > 60
    assert engine.slots == 2
    assert engine.healthy


LITTLE_MEMORY = """
import resource, sys
from pathlib import Path
import torch
from inference.engines.higgs.engine import HiggsEngine, Options
from tests.engine.checkpoints import request, listen
torch.set_num_threads(1)
HiggsEngine(Path(sys.argv[1]), Options(slots=1)).close()
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**28, used + 2**28))
engine = HiggsEngine(Path(sys.argv[1]), Options(slots=1024, dtype="float32"))  # of 1.6 MB each
codes, _, _ = listen(engine.submit(request("Hello there.", max_frames=20)))
print(engine.slots, len(codes))
engine.close()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit on a process's memory")
def test_slots_for_which_there_is_no_memory_are_left_out(checkpoint: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LITTLE_MEMORY, str(checkpoint)],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'platform'}", "OMP_NUM_THREADS": "1", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    slots, frames = map(int, done.stdout.split())
    assert 16 <= slots <= 128
    assert frames == 20


def test_a_checkpoint_whose_parts_do_not_belong_together_is_refused(
    checkpoint: Path, make_engine: MakeEngine, tmp_path: Path
) -> None:
    from tests.higgs.oracle import make_language_model, make_tokenizer

    twelve = tmp_path / "twelve"
    make_language_model(twelve, books=12)
    make_tokenizer(twelve)
    (twelve / "codec").symlink_to(checkpoint / "codec")
    with pytest.raises(CheckpointError, match=r"12 codebooks of 32 codes, the codec .* has 8 of 32"):
        make_engine(twelve)
    (twelve / "codec").unlink()
    with pytest.raises(ConfigError, match=r"cannot read config.json of checkpoint codec"):
        make_engine(twelve)
    (twelve / "tokenizer.json").unlink()
    with pytest.raises(ConfigError, match=r"cannot read tokenizer.json"):
        make_engine(twelve)


def test_the_engine_says_what_it_is(engine: HiggsEngine) -> None:
    assert engine.model.startswith("small@")
    assert engine.device == "cpu"
    assert engine.slots == 8
    assert engine.healthy


def test_a_run_of_silence_is_counted_across_the_end_of_one_before() -> None:
    """However the audio is cut into chunks: a resumed stream is cut elsewhere than the first attempt was."""
    silence = np.zeros(2 * guards.SILENT_FRAMES * 960, np.float32)
    frames = 2 * guards.SILENT_FRAMES
    for length in (1, 7, 25):
        watch = guards.SilenceWatch()
        starts = range(0, frames, length)
        found = [watch.ends_at(silence[start * 960 : (start + length) * 960]) for start in starts]
        ends = [start + end for start, end in zip(starts, found, strict=True) if end is not None]
        assert ends == [guards.SILENT_FRAMES, frames]
