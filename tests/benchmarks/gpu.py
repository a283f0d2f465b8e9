"""`python -m tests.benchmarks.gpu`: the Higgs engine on a CUDA device, in the geometries of 1 B and 3 B.

It needs torch, numpy, safetensors and tokenizers, no database and no server. For each geometry: Triton's attention
beside SDPA's, right and in time; each CUDA graph beside the plain step, right and in time; a step at 500 positions
a slot beside the least time that memory and arithmetic need; the time to first audio of 1 and of 64 requests that
come at once; and which kernels a step's time goes to. A part that fails prints its traceback and the next one
begins; the exit status is then 1. No part begins after `--minutes`.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from inference.engines.higgs.graphs import SHORTEST_WINDOW, GraphRunner, buckets
from inference.engines.higgs.runners import CANDIDATES, Runner
from inference.engines.higgs.scheduler import Policy, Scheduler
from inference.engines.higgs.script import Script
from inference.engines.higgs.speakers import DESCRIBED
from inference.engines.higgs.state import BatchState
from inference.engines.higgs.stream import Stream
from inference.engines.higgs.vocoder import Vocoder
from inference.engines.protocol import Generation, Segment, SpeechRequest
from inference.higgs.attention import Attend, has_kernel, plan_window
from inference.higgs.codec import CONTEXT, Codec, CodecConfig
from inference.higgs.config import PUBLISHED_RAS, HiggsConfig
from inference.higgs.hubert import HubertConfig
from inference.higgs.prompt import PromptBuilder
from tests.benchmarks.device import Session, device_seconds, measure_device, say
from tests.benchmarks.geometries import cache_numbers, geometry, random_model
from tests.higgs.tokenizer import make_tokenizer

LIVE = 500
"""Positions that a slot holds: a voice sample of some seconds, a text, and half of its audio."""
BATCHES = (1, 8, 32, 64, 128, 256)
STEPS = 50
COMPARED = 12
"""Steps that graph and plain step take side by side: a code that they sample is seen after 8 of them at most."""
TEXT = "The quick brown fox jumps over the lazy dog, and the dog does not mind."


def compare_attention(session: Session, config: HiggsConfig, length: int) -> None:
    """Triton's attention and SDPA's in bfloat16, beside SDPA in float32, over slots of all lengths."""
    from inference.higgs.attention_kernel import plan_kernel

    slots = max(BATCHES)
    k, v = torch.randn(2, slots + 1, config.kv_heads, length, config.head_dim, device="cuda", dtype=torch.bfloat16)
    exact_k, exact_v = k.float(), v.float()
    batches, windows = buckets(slots, length)
    window = next(window for window in windows if window >= LIVE)
    say(f"{'batch':>5} {'kernel error':>12} {'SDPA error':>10} {'kernel us':>9} {'SDPA us':>8}  (a layer)")
    for batch in batches:
        q = torch.randn(batch, config.heads, config.head_dim, device="cuda", dtype=torch.bfloat16)
        chosen = torch.randperm(slots, device="cuda")[:batch]
        positions = torch.randint(length, (batch,), device="cuda")
        positions[0], positions[-1] = 0, length - 1
        errors, excess = [0.0, 0.0], 0.0
        for width in (SHORTEST_WINDOW, length):
            seen = positions.clamp_max(width - 1)
            exact = plan_window(chosen, seen, width)(q.float(), exact_k, exact_v)
            for number, plan in enumerate((plan_kernel, plan_window)):
                error = (plan(chosen, seen, width)(q, k, v).float() - exact).abs()
                errors[number] = max(errors[number], float(error.max()))
                if plan is plan_kernel:  # 8 bits of weights, and of the answer
                    excess = max(excess, float((error - 0.01 - exact.abs() / 2**7).max()))
        session.check(excess <= 0, f"the kernel's attention of {batch} rows is off by {errors[0]:.3f}")
        live = torch.full((batch,), LIVE - 1, device="cuda")
        ours, theirs = plan_kernel(chosen, live, length), plan_window(chosen, live, window)
        times = [device_seconds(_attend_of(attend, q, k, v)) * 1e6 for attend in (ours, theirs)]
        say(f"{batch:5} {errors[0]:12.4f} {errors[1]:10.4f} {times[0]:9.1f} {times[1]:8.1f}")


def _attend_of(attend: Attend, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> Callable[[], torch.Tensor]:
    return lambda: attend(q, k, v)


def fill(state: BatchState) -> None:
    """Give every slot a past and a request in the midst of its audio, the same ones each time."""
    config, device = state.model.config, state.model.device
    generator = torch.Generator(device).manual_seed(0)
    state.cache.k.normal_(generator=generator)
    state.cache.v.normal_(generator=generator)
    rows = torch.randint(config.bos_code, (2 * config.num_codebooks, config.num_codebooks), generator=generator,
                         device=device)  # fmt: skip
    for slot in range(state.slots):
        state.admit(
            slot,
            position=LIVE - 1,
            rows=rows,
            repeated=rows[:0],
            tokens=slice(0, 1),
            temperature=1,
            top_p=0.95,
            top_k=50,
            seed=slot,
        )


def compare_graphs(session: Session, state: BatchState, runner: GraphRunner) -> None:
    """Every bucket, whole and as little filled as it gets, beside the plain step of as many rows.

    Both run the same kernels on the same shapes. A few codes may differ all the same where cuBLAS takes another
    way in a graph; more than 1 % of them are a fault.
    """
    window = next(w for w in runner.windows if w >= LIVE + COMPARED)
    device = state.model.device
    say(f"{'batch':>5} {'plain ms':>8} {'graph ms':>8} {'codes that differ':>18}")
    before = 0
    for batch in runner.batches:
        different = total = 0
        plain_seconds = graph_seconds = 0.0
        for count in sorted({before + 1, batch}):
            slots = torch.tensor([*range(count), *[state.scratch] * (batch - count)], device=device)
            fill(state)
            state.step(slots, window=window, candidates=CANDIDATES)
            torch.cuda.synchronize()
            fill(state)
            torch.cuda.synchronize()
            began = time.perf_counter()
            plain = [state.step(slots, window=window, candidates=CANDIDATES)[:count] for _ in range(COMPARED)]
            torch.cuda.synchronize()
            plain_seconds = (time.perf_counter() - began) / COMPARED
            fill(state)
            torch.cuda.synchronize()
            began = time.perf_counter()
            ours = [
                runner.launch(list(range(count)), live=LIVE + COMPARED, candidates=CANDIDATES)().copy()
                for _ in range(COMPARED)
            ]
            graph_seconds = (time.perf_counter() - began) / COMPARED
            for expected, rows in zip(plain, ours, strict=True):
                different += int((expected.cpu() != torch.from_numpy(rows)).sum())
                total += rows.size
        say(f"{batch:5} {plain_seconds * 1e3:8.2f} {graph_seconds * 1e3:8.2f} {different:10} of {total}")
        session.check(different <= total // 100, f"the graph of {batch} differs from the plain step")
        before = batch


def floor_seconds(config: HiggsConfig, batch: int, memory: float, arithmetic: float) -> float:
    """What a step takes at least, in bfloat16, where memory and arithmetic do not overlap."""
    weights = config.step_weights
    bytes_read = 2 * (weights + batch * LIVE * cache_numbers(config))
    return bytes_read / memory + 2 * weights * batch / arithmetic


def step_seconds(state: BatchState, runner: Runner, batch: int) -> float:
    fill(state)
    slots = list(range(batch))
    launched = runner.launch(slots, live=LIVE, candidates=50)
    launched()
    began = time.perf_counter()
    for _ in range(STEPS):
        launched, last = runner.launch(slots, live=LIVE, candidates=50), launched
        last()
    launched()
    return (time.perf_counter() - began) / STEPS


def time_steps(state: BatchState, runner: Runner, memory: float, arithmetic: float) -> None:
    config = state.model.config
    say(f"{'batch':>5} {'ms/step':>8} {'floor':>8} {'of it':>6} {'audio s/s':>9}")
    for batch in BATCHES:
        took = statistics.median(step_seconds(state, runner, batch) for _ in range(3))
        floor = floor_seconds(config, batch, memory, arithmetic)
        say(f"{batch:5} {took * 1e3:8.2f} {floor * 1e3:8.2f} {floor / took:6.0%} {batch / took / 25:9.0f}")


def first_audio_seconds(
    state: BatchState, runner: Runner, vocoder: Vocoder, builder: PromptBuilder
) -> list[float]:
    """The waits of 1 and, at worst, of 64 requests that come at once."""
    worst = []
    for count in (1, min(64, state.slots)):
        scheduler = Scheduler(state, runner, vocoder, Policy(), clock=time.perf_counter)
        streams = []
        for seed in range(count):
            asked = SpeechRequest(id="", segments=(Segment(TEXT, "alloy"),), seed=seed, max_frames=60)
            script = Script(asked, builder, DESCRIBED, capacity=state.length, books=8)
            streams.append(Stream(Generation(asked), script, state.model.config, context=CONTEXT))
        began = time.perf_counter()
        for stream in streams:
            scheduler.add(stream)
        while not scheduler.idle:
            scheduler.turn()
        worst.append(max((stream.first_audio_at or 0) - began for stream in streams))
    return worst


def published_codec() -> Codec:
    """A decoder of the published size with random weights."""
    ratios = (8, 5, 4, 2, 3)
    config = CodecConfig(
        sample_rate=24_000, codebook_size=1024, codebook_dim=64, num_codebooks=8, acoustic_size=256,
        encoder_size=64, decoder_size=1024, downsampling=ratios, upsampling=ratios, kernel_size=3,
        unit_kernel_size=3, block_dilations=(1, 1), blocks=2, semantic_rate=16_000, semantic_stride=320,
        semantic=HubertConfig(
            hidden_size=768, layers=12, heads=12, intermediate_size=3072, norm_eps=1e-5, conv_sizes=(512,) * 7,
            conv_kernels=(10, 3, 3, 3, 3, 2, 2), conv_strides=(5, 2, 2, 2, 2, 2, 2), conv_bias=False,
            position_kernel=128, position_groups=16,
        ),
    )  # fmt: skip
    return Codec(config).eval().requires_grad_(False)


def show_kernels(state: BatchState, batch: int) -> None:
    """Where the device's time of a plain step goes."""
    from torch.profiler import ProfilerActivity, profile

    fill(state)
    slots = torch.arange(batch, device=state.model.device)
    window = min(state.length, 2 * SHORTEST_WINDOW)
    with profile(activities=[ProfilerActivity.CUDA]) as profiled:
        for _ in range(3):
            state.step(slots, window=window, candidates=CANDIDATES)
        torch.cuda.synchronize()
    kernels = sorted(profiled.key_averages(), key=lambda event: -event.self_device_time_total)
    total = sum(event.self_device_time_total for event in kernels)
    say(f"batch {batch}: {total / 3e3:.2f} ms and {sum(event.count for event in kernels) // 3} kernels a step")
    for event in kernels[:10]:
        spent = event.self_device_time_total
        say(f"  {spent / total:5.1%} {event.count // 3:5} x {spent / event.count:7.1f} us  {event.key[:90]}")


def measure(session: Session, name: str, length: int, folder: Path, memory: float, arithmetic: float) -> None:
    config = geometry(name)
    with session.part(f"{name}: graphs beside plain steps"):
        model = random_model(config, "cuda")
        state = BatchState(model, slots=max(BATCHES), length=length, ras=PUBLISHED_RAS)
        began = time.perf_counter()
        runner = GraphRunner(state)
        took, reserved = time.perf_counter() - began, torch.cuda.memory_reserved() / 2**30
        say(f"{len(runner.batches)} batches, windows {runner.windows}: took {took:.0f} s, {reserved:.0f} GiB")
        compare_graphs(session, state, runner)
    if session.over or f"{name}: graphs beside plain steps" in session.failed:
        return
    with session.part(f"{name}: a step at {LIVE} positions a slot"):
        time_steps(state, runner, memory, arithmetic)
    if session.over:
        return
    with session.part(f"{name}: first audio"):
        builder = PromptBuilder(folder / "tokenizer.json", config)
        vocoder = Vocoder(published_codec().to("cuda"), model.device)
        first_audio_seconds(state, runner, vocoder, builder)  # libraries set themselves up
        one, many = first_audio_seconds(state, runner, vocoder, builder)
        say(f"first audio: {one * 1e3:.0f} ms alone, {many * 1e3:.0f} ms at worst of 64")
    if session.over:
        return
    with session.part(f"{name}: kernels"):
        for batch in (1, 32, 256):
            show_kernels(state, batch)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", default=["1B", "3B"])
    parser.add_argument("--context", type=int, default=1024)
    parser.add_argument("--minutes", type=float, default=8, help="no part begins later")
    arguments = parser.parse_args()
    if not torch.cuda.is_available():
        say("no CUDA device: nothing is measured")
        return 0
    session = Session(arguments.minutes)
    say(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, Python {sys.version.split()[0]}")
    with TemporaryDirectory() as name, torch.inference_mode():
        folder = Path(name)
        make_tokenizer(folder)
        memory = arithmetic = 1.0
        with session.part("device"):
            memory, arithmetic = measure_device()
            say(f"Triton's attention {'is' if has_kernel(torch.device('cuda', 0)) else 'is NOT'} used")
        for model in arguments.models:
            torch.cuda.empty_cache()
            if not session.over:
                with session.part(f"{model}: Triton's attention beside SDPA's"):
                    compare_attention(session, geometry(model), arguments.context)
        for model in arguments.models:
            gc.collect()  # what the model before held, its graphs' memory included
            torch.cuda.empty_cache()
            if not session.over:
                measure(session, model, arguments.context, folder, memory, arithmetic)
    say(f"\nfailed: {', '.join(session.failed) or 'nothing'}" + (", out of time" if session.over else ""))
    return 1 if session.failed else 0


if __name__ == "__main__":
    sys.exit(main())
