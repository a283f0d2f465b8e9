"""The Higgs engine on the CPU: rows of codes per second beside transformers' `generate` on the same checkpoint,
and the time to first audio.

Checkpoints are random: of the shipped student's geometry (8 million weights), of 30 and of 300 million; the first
two with 12 codebooks of 102 codes, the last with the published ones and a codec of the published size. Matrices
are, on both sides, in the type that HIGGS_DTYPE=auto takes on this machine; transformers' other tensors, too.

Prompts are the same, and so is the sampling: temperature 1, top-k 50, top-p 0.95, RAS. Both take turns, and what
counts is the median step of a turn: reading the prompt is in neither. `times` is the median of the rounds' ratios,
so that what else the machine does falls on both. The engine's steps are without the codec, as are transformers';
its time to first audio is with it. `host` is the scheduler's share of a turn, all that is not the step.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.benchmarks import budget

TEXT = "The quick brown fox jumps over the lazy dog."
BATCHES = budget.first_of((1, 8, 32))
ROWS = budget.number(64, least=16)
ROUNDS = budget.number(3)
GEOMETRIES = budget.first_of(("8M", "30M", "300M"))
SAMPLING: dict[str, Any] = {"temperature": 1.0, "top_p": 0.95, "top_k": 50}


def run() -> None:
    import torch

    from inference.higgs.linear import matrix_dtype
    from tests.benchmarks.geometries import CODES
    from tests.higgs.codec_oracle import make_codec
    from tests.higgs.oracle import make_tokenizer

    dtype = matrix_dtype("auto", torch.device("cpu"))
    for geometry in GEOMETRIES:
        with TemporaryDirectory() as name:
            folder = Path(name)
            oracle = _make_model(folder, geometry).to(dtype)
            make_tokenizer(folder)
            torch.set_num_threads(os.cpu_count() or 1)  # the tests' oracles take one only
            print(f"{geometry}, {dtype}, {torch.get_num_threads()} threads; 25 rows are a second of audio")
            _compare(oracle, folder, dtype)
            if geometry not in CODES:
                make_codec(folder / "codec", bits=10, decoder=1024, hidden=256)
                torch.set_num_threads(os.cpu_count() or 1)
                _print_first_audio(folder)


def _compare(oracle: Any, folder: Path, dtype: Any) -> None:
    print(f"{'batch':>5} {'generate s/s':>13} {'engine s/s':>11} {'times':>6} {'ms/step':>8} {'host':>6}")
    for batch in BATCHES:
        theirs, ours, busy = [], [], []
        for _ in range(ROUNDS):
            theirs.append(statistics.median(_generate(oracle, folder, batch)))
            turns = _speak(folder, batch, dtype)
            ours.append(statistics.median(whole for whole, _ in turns))
            busy += [launch / whole for whole, launch in turns]
        their, our = statistics.median(theirs), statistics.median(ours)
        times = statistics.median(t / o for t, o in zip(theirs, ours, strict=True))
        print(
            f"{batch:5} {batch / their / 25:13.1f} {batch / our / 25:11.1f} {times:6.1f} {1000 * our:8.1f}"
            f" {1 - statistics.median(busy):6.1%}"
        )
        sys.stdout.flush()


def _print_first_audio(folder: Path) -> None:
    print(f"{'':5} time to first audio, ms: median, worst")
    for batch in budget.first_of((1, 8)):
        waits = _first_audio(folder, batch)
        print(f"{batch:5} {1000 * statistics.median(waits):13.0f} {1000 * max(waits):11.0f}")
    sys.stdout.flush()


def _make_model(folder: Path, name: str) -> Any:
    from safetensors.torch import load_file, save_file

    from tests.benchmarks.geometries import geometry
    from tests.higgs.oracle import make_language_model

    size = geometry(name)
    books, codes = size.num_codebooks, size.codebook_size
    oracle = make_language_model(
        folder, books=books, codes=codes - 2, hidden_size=size.hidden_size, kv_heads=size.kv_heads,
        intermediate_size=size.intermediate_size, num_hidden_layers=budget.number(size.layers),
        num_attention_heads=size.heads, head_dim=size.head_dim, initializer_range=0.02,
    )  # fmt: skip
    weights = load_file(folder / "model.safetensors")
    head = weights["audio_lm_head.weight"]
    head.view(books, codes, -1)[:, size.eos_code] = 0  # nobody's audio ends early
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    oracle.audio_lm_head.weight.data.copy_(head)
    oracle.generation_config.ras_win_len, oracle.generation_config.ras_win_max_num_repeat = 7, 2
    return oracle


def _generate(oracle: Any, folder: Path, batch: int) -> list[float]:
    """Seconds of each of transformers' steps."""
    import torch

    from inference.higgs.config import load_config
    from inference.higgs.prompt import PromptBuilder

    tokens = PromptBuilder(folder / "tokenizer.json", load_config(folder)).build(TEXT).tokens.expand(batch, -1)
    stamps = []

    def stamp(*_: Any, **__: Any) -> torch.Tensor:
        stamps.append(time.perf_counter())
        return torch.zeros(batch, dtype=torch.bool)

    oracle.generate(tokens, max_new_tokens=ROWS, do_sample=True, stopping_criteria=[stamp], **SAMPLING)
    return [after - before for before, after in pairwise(stamps)]


def _speak(folder: Path, batch: int, dtype: Any) -> list[tuple[float, float]]:
    """Seconds of each of the scheduler's turns, and of the step in it; the rest is the host's own work."""
    import torch

    from inference.engines.higgs.runners import EagerRunner
    from inference.engines.higgs.scheduler import Policy, Scheduler
    from inference.engines.higgs.script import Script
    from inference.engines.higgs.speakers import Speaker
    from inference.engines.higgs.state import BatchState
    from inference.engines.higgs.stream import Stream
    from inference.engines.higgs.vocoder import Vocoder
    from inference.engines.protocol import Generation
    from inference.higgs.checkpoint import load_checkpoint
    from inference.higgs.codec import CONTEXT
    from inference.higgs.config import load_ras_config
    from inference.higgs.prompt import PromptBuilder

    launches = []

    class Timed(EagerRunner):
        def launch(self, *arguments: Any, **options: Any) -> Any:
            began = time.perf_counter()
            launched = super().launch(*arguments, **options)
            launches.append(time.perf_counter() - began)
            return launched

    class Mute(Vocoder):
        def __init__(self) -> None: ...

        def decode(self, windows: Any, *, wait: bool = True) -> Any:
            return [(stream, w, torch.zeros((w.high - w.low) * 960)) for stream, w in windows]

    model = load_checkpoint(folder, matrices=dtype).model
    state = BatchState(model, slots=batch, length=1024, ras=load_ras_config(folder))
    builder = PromptBuilder(folder / "tokenizer.json", model.config)
    books = model.config.num_codebooks
    scheduler = Scheduler(state, Timed(state), Mute(), Policy(prefill_tokens=100_000))
    frames = ROWS - books - 1  # the first row is known, and the last frame takes one more a codebook
    for seed in range(batch):
        generation = Generation(_request(seed, frames))
        script = Script(generation.request, builder, {"alloy": Speaker("")}, capacity=1024, books=books)
        scheduler.add(Stream(generation, script, model.config, context=CONTEXT))
    turns = []
    while not scheduler.idle:
        began = time.perf_counter()
        scheduler.turn()
        turns.append(time.perf_counter() - began)
    return list(zip(turns[1:], launches[1:], strict=False))  # the first turn reads the prompts


def _first_audio(folder: Path, batch: int) -> list[float]:
    """Seconds to the first chunk of requests that come all at once."""
    from concurrent.futures import ThreadPoolExecutor

    from inference.engines.higgs.engine import HiggsEngine, Options

    engine = HiggsEngine(folder, Options(slots=batch))

    def wait(seed: int) -> float:
        began = time.perf_counter()
        generation = engine.submit(_request(seed, 100))
        next(iter(generation))
        waited = time.perf_counter() - began
        generation.cancel()
        return waited

    with ThreadPoolExecutor(batch) as pool:
        waits = [waited for _ in range(ROUNDS) for waited in pool.map(wait, range(batch))]
    engine.close()
    return waits


def _request(seed: int, frames: int) -> Any:
    from inference.engines.protocol import Segment, SpeechRequest

    return SpeechRequest(
        id=str(seed), segments=(Segment(TEXT, "alloy"),), seed=seed, max_frames=frames, **SAMPLING
    )
