"""The Higgs engine on the CPU: rows of codes per second beside transformers' `generate` on the same checkpoint,
and the time to first audio.

The checkpoint is random, of 8 layers of 512 (49 million parameters), with the published codebooks and a codec of
the published size. Prompts are the same, and so is the sampling: temperature 1, top-k 50, top-p 0.95, RAS. Rows
are timed by what 128 rows take longer than 32, of the best of several runs: reading the prompt is in neither. The
engine's rows are without the codec, as are transformers'; its time to first audio is with it.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

TEXT = "The quick brown fox jumps over the lazy dog."
BATCHES = (1, 8, 32)
FEW, MANY = 32, 128
REPEATS = 5
SAMPLING: dict[str, Any] = {"temperature": 1.0, "top_p": 0.95, "top_k": 50}


def run() -> None:
    import torch

    from tests.higgs.codec_oracle import make_codec
    from tests.higgs.oracle import make_tokenizer

    with TemporaryDirectory() as name:
        folder = Path(name)
        oracle = _make_model(folder)
        make_tokenizer(folder)
        make_codec(folder / "codec", bits=10, decoder=1024, hidden=256)
        torch.set_num_threads(os.cpu_count() or 1)  # the tests' oracles take one only
        print(f"{torch.get_num_threads()} threads, rows of 8 codes; 25 rows are a second of audio")
        print(f"{'batch':>5} {'generate 1/s':>13} {'engine 1/s':>11} {'times':>6} {'ms/step':>8} {'host':>6}")
        for batch in BATCHES:
            shares: list[float] = []
            theirs, ours = _rates(
                batch,
                partial(_generate, oracle, folder, batch),
                partial(_speak, folder, batch, shares),
            )
            print(
                f"{batch:5} {theirs:13.0f} {ours:11.0f} {ours / theirs:6.1f} {1000 * batch / ours:8.1f}"
                f" {statistics.median(shares):6.1%}"
            )
            sys.stdout.flush()
        print(f"{'':5} time to first audio, ms: median, worst")
        for batch in (1, 8):
            waits = _first_audio(folder, batch)
            print(f"{batch:5} {1000 * statistics.median(waits):13.0f} {1000 * max(waits):11.0f}")
        sys.stdout.flush()


def _make_model(folder: Path) -> Any:
    from safetensors.torch import load_file, save_file

    from tests.higgs.oracle import make_language_model

    oracle = make_language_model(
        folder, codes=1024, hidden_size=512, intermediate_size=1408, num_hidden_layers=8,
        num_attention_heads=8, head_dim=64, initializer_range=0.02,
    )  # fmt: skip
    weights = load_file(folder / "model.safetensors")
    head = weights["audio_lm_head.weight"]
    head.view(8, 1026, -1)[:, 1025] = 0  # nobody's audio ends early
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    oracle.audio_lm_head.weight.data.copy_(head)
    oracle.generation_config.ras_win_len, oracle.generation_config.ras_win_max_num_repeat = 7, 2
    return oracle


def _rates(batch: int, *ways: Callable[[int], float]) -> list[float]:
    """Rows per second of each way, which take turns, as the machine may have other things to do."""
    few, many = (
        [min(column) for column in zip(*runs, strict=True)]
        for runs in ([[seconds(rows) for seconds in ways] for _ in range(REPEATS)] for rows in (FEW, MANY))
    )
    return [batch * (MANY - FEW) / (more - less) for less, more in zip(few, many, strict=True)]


def _generate(oracle: Any, folder: Path, batch: int, rows: int) -> float:
    """Seconds that transformers takes for so many rows."""
    from inference.higgs.config import load_config
    from inference.higgs.prompt import PromptBuilder

    tokens = PromptBuilder(folder / "tokenizer.json", load_config(folder)).build(TEXT).tokens
    began = time.perf_counter()
    oracle.generate(tokens.expand(batch, -1), max_new_tokens=rows, do_sample=True, **SAMPLING)
    return time.perf_counter() - began


def _speak(folder: Path, batch: int, shares: list[float], rows: int) -> float:
    """Seconds that the scheduler takes for so many rows; notes how much of them the host's own work took."""
    import torch

    from inference.engine.protocol import Generation
    from inference.engine.runners import EagerRunner
    from inference.engine.scheduler import Policy, Scheduler
    from inference.engine.script import Script
    from inference.engine.state import BatchState
    from inference.engine.stream import Stream
    from inference.engine.vocoder import Vocoder
    from inference.engine.voices import Voice
    from inference.higgs.checkpoint import load_checkpoint
    from inference.higgs.codec import load_codec
    from inference.higgs.config import load_ras_config
    from inference.higgs.prompt import PromptBuilder

    spent = 0.0

    class Timed(EagerRunner):
        def launch(self, *arguments: Any, **options: Any) -> Any:
            nonlocal spent
            began = time.perf_counter()
            launched = super().launch(*arguments, **options)
            spent += time.perf_counter() - began
            return launched

    class Mute(Vocoder):
        def decode(self, windows: Any) -> Any:
            return [(stream, w, torch.zeros((w.high - w.low) * 960)) for stream, w in windows]

    model = load_checkpoint(folder).model
    state = BatchState(model, slots=batch, length=1024, ras=load_ras_config(folder))
    builder = PromptBuilder(folder / "tokenizer.json", model.config)
    codec = Mute(load_codec(folder / "codec"), model.device)
    scheduler = Scheduler(state, Timed(state), codec, Policy(prefill_tokens=100_000))
    frames = rows - 9  # the first row is known, and the last frame takes eight more
    for seed in range(batch):
        generation = Generation(_request(seed, frames))
        script = Script(generation.request, builder, {"alloy": Voice("")}, capacity=1024, books=8)
        scheduler.add(Stream(generation, script, model.config))
    began = time.perf_counter()
    scheduler.turn()  # reads the prompts, and makes the first step
    read, spent = time.perf_counter(), 0.0
    while not scheduler.idle:
        scheduler.turn()
    ended = time.perf_counter()
    shares.append(1 - spent / (ended - read))
    return ended - began


def _first_audio(folder: Path, batch: int) -> list[float]:
    """Seconds to the first chunk of requests that come all at once."""
    from concurrent.futures import ThreadPoolExecutor

    from inference.engine.engine import HiggsEngine, Options

    engine = HiggsEngine(folder, Options(slots=batch))

    def wait(seed: int) -> float:
        began = time.perf_counter()
        generation = engine.submit(_request(seed, 100))
        next(iter(generation))
        waited = time.perf_counter() - began
        generation.cancel()
        return waited

    with ThreadPoolExecutor(batch) as pool:
        waits = [waited for _ in range(REPEATS) for waited in pool.map(wait, range(batch))]
    engine.close()
    return waits


def _request(seed: int, frames: int) -> Any:
    from inference.engine.protocol import Segment, SpeechRequest

    return SpeechRequest(
        id=str(seed), segments=(Segment(TEXT, "alloy"),), seed=seed, max_frames=frames, **SAMPLING
    )
