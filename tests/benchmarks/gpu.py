"""`python -m tests.benchmarks.gpu`: the Higgs engine on a CUDA device, in the geometries of 1 B and 3 B.

Weights are random: what is measured is time. For each batch: that Triton's attention is SDPA's, that the graph's
rows are those of the plain step, the time of a step at 500 positions a slot beside the time that memory and
arithmetic need at least, and the time to first audio of 1 and 64 requests that come at once.

The 3 B is the published V2; the 1 B is Llama 3.2's of that size with audio feed-forwards, as V2.5's is unknown.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from inference.engines.higgs.graphs import SHORTEST_WINDOW, GraphRunner
from inference.engines.higgs.runners import CANDIDATES, Runner
from inference.engines.higgs.scheduler import Policy, Scheduler
from inference.engines.higgs.script import Script
from inference.engines.higgs.speakers import DESCRIBED
from inference.engines.higgs.state import BatchState
from inference.engines.higgs.stream import Stream
from inference.engines.higgs.vocoder import Vocoder
from inference.engines.protocol import Generation, Segment, SpeechRequest
from inference.higgs.attention import has_kernel, plan_window
from inference.higgs.codec import CONTEXT, Codec, load_codec_config
from inference.higgs.config import PUBLISHED_RAS, HiggsConfig, RopeConfig
from inference.higgs.model import FeedForward, HiggsModel, Layer
from inference.higgs.prompt import PromptBuilder
from tests.higgs.codec_oracle import make_codec
from tests.higgs.oracle import AUDIO_OUT, AUDIO_OUT_BOS, DELAY, make_tokenizer

LIVE = 500
"""Positions that a slot holds: a voice sample of some seconds, a text, and half of its audio."""
BATCHES = (1, 32, 128, 256)
STEPS = 50
BYTES_PER_SECOND, FLOPS_PER_SECOND = 4.3e12, 790e12
"""What an H200 moves and computes in bfloat16, as measured."""
TEXT = "The quick brown fox jumps over the lazy dog, and the dog does not mind."


def geometry(name: str) -> HiggsConfig:
    sizes = {
        "1B": {"hidden_size": 2048, "intermediate_size": 8192, "layers": 16, "heads": 32, "head_dim": 64},
        "3B": {"hidden_size": 3072, "intermediate_size": 8192, "layers": 28, "heads": 24, "head_dim": 128},
    }[name]
    return HiggsConfig(
        layout="huggingface", vocab_size=512, kv_heads=8, norm_eps=1e-5,
        rope=RopeConfig(
            kind="llama3", theta=5e5, factor=32, low_freq_factor=0.125, high_freq_factor=0.5,
            original_max_positions=1024,
        ),
        num_codebooks=8, codebook_size=1026, bos_code=1024, eos_code=1025, audio_out_bos_id=AUDIO_OUT_BOS,
        audio_out_id=AUDIO_OUT, audio_delay_id=DELAY, **sizes,
    )  # fmt: skip


def random_model(config: HiggsConfig, device: str) -> HiggsModel:
    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(shape, device=device, dtype=torch.bfloat16) * 0.02

    def half() -> FeedForward:
        hidden, inner = config.hidden_size, config.intermediate_size
        norms = torch.ones(2, hidden, device=device, dtype=torch.bfloat16)
        return FeedForward(norms[0], norms[1], draw(2 * inner, hidden), draw(hidden, inner))

    q, kv = config.heads * config.head_dim, config.kv_heads * config.head_dim
    rows = config.num_codebooks * config.codebook_size
    head = draw(rows, config.hidden_size)
    head.view(config.num_codebooks, config.codebook_size, -1)[:, config.eos_code] = 0  # no audio ends early
    return HiggsModel(
        config=config,
        text_embedding=draw(config.vocab_size, config.hidden_size),
        audio_embedding=draw(rows, config.hidden_size),
        layers=[
            Layer(draw(q + 2 * kv, config.hidden_size), draw(config.hidden_size, q), half(), half())
            for _ in range(config.layers)
        ],
        norm=torch.ones(config.hidden_size, device=device, dtype=torch.bfloat16),
        head=head,
    )


def floor_seconds(config: HiggsConfig, batch: int) -> float:
    """What a step takes at least where memory and arithmetic do not overlap."""
    q, kv = config.heads * config.head_dim, 2 * config.kv_heads * config.head_dim
    layer = config.hidden_size * (2 * q + kv + 3 * config.intermediate_size)
    weights = config.layers * layer + config.hidden_size * config.num_codebooks * config.codebook_size
    cache = batch * LIVE * config.layers * kv
    return 2 * (weights + cache) / BYTES_PER_SECOND + 2 * weights * batch / FLOPS_PER_SECOND


def fill(state: BatchState) -> None:
    """Give every slot a past and a request, the same ones each time."""
    generator = torch.Generator(state.model.device).manual_seed(0)
    state.cache.k.normal_(generator=generator)
    state.cache.v.normal_(generator=generator)
    rows = torch.full((1, state.model.config.num_codebooks), state.model.config.bos_code)
    for slot in range(state.slots):
        state.admit(slot, position=LIVE - 1, rows=rows, temperature=1, top_p=0.95, top_k=50, seed=slot)


def check_kernel(state: BatchState, runner: GraphRunner) -> float:
    """The greatest difference of Triton's attention from SDPA's, over slots of all lengths and every batch."""
    from inference.higgs.attention_kernel import plan_kernel

    config, device = state.model.config, state.model.device
    k, v = state.cache.k[0].normal_(), state.cache.v[0].normal_()
    worst = 0.0
    for batch in runner.batches:
        q = torch.randn(batch, config.heads, config.head_dim, device=device, dtype=k.dtype)
        slots = torch.randperm(state.slots, device=device)[:batch]
        positions = torch.randint(state.length, (batch,), device=device)
        for window in (SHORTEST_WINDOW, state.length):
            seen = positions.clamp_max(window - 1)
            ours, theirs = (plan(slots, seen, window)(q, k, v) for plan in (plan_kernel, plan_window))
            worst = max(worst, float((ours.float() - theirs.float()).abs().max()))
    assert worst < 0.02, f"the kernel differs from SDPA by {worst}"  # values of 1, with 8 bits
    return worst


def check_graphs(state: BatchState, runner: GraphRunner) -> None:
    """Every bucket, whole and partly filled, gives what the plain step gives. Raises AssertionError."""
    for batch in runner.batches:
        for count in {batch, max(1, batch - 1)}:
            padded = [*range(count), *[state.scratch] * (batch - count)]
            fill(state)
            window = next(w for w in runner.windows if w >= LIVE + 3)
            slots = torch.tensor(padded, device=state.model.device)
            plain = [state.step(slots, window=window, candidates=CANDIDATES)[:count].cpu() for _ in range(3)]
            fill(state)
            for expected in plain:
                rows = runner.launch(list(range(count)), live=LIVE + 3, candidates=CANDIDATES)()
                assert torch.equal(torch.from_numpy(rows), expected), f"graph of {batch}, {count} filled"


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


def main() -> None:
    if not torch.cuda.is_available():
        print("no CUDA device: nothing is measured")
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", default=["1B", "3B"])
    parser.add_argument("--context", type=int, default=1024)
    arguments = parser.parse_args()
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}")
    with TemporaryDirectory() as name, torch.inference_mode():
        folder = Path(name)
        make_tokenizer(folder)
        make_codec(folder / "codec", bits=10, decoder=1024, hidden=256)
        codec = Codec(load_codec_config(folder / "codec")).to("cuda").eval()
        for model_name in arguments.models:
            model = random_model(geometry(model_name), "cuda")
            state = BatchState(model, slots=max(BATCHES), length=arguments.context, ras=PUBLISHED_RAS)
            began = time.perf_counter()
            runner = GraphRunner(state)
            print(f"\n{model_name}: graphs captured in {time.perf_counter() - began:.0f} s")
            if has_kernel(model.device):
                print(f"Triton's attention differs from SDPA's by at most {check_kernel(state, runner):.4f}")
            check_graphs(state, runner)
            print(f"{'batch':>5} {'ms/step':>8} {'floor':>8} {'of it':>6} {'audio s/s':>9}")
            for batch in BATCHES:
                took = statistics.median(step_seconds(state, runner, batch) for _ in range(5))
                floor = floor_seconds(model.config, batch)
                print(
                    f"{batch:5} {took * 1e3:8.2f} {floor * 1e3:8.2f} {floor / took:6.0%} {batch / took / 25:9.0f}"
                )
            builder = PromptBuilder(folder / "tokenizer.json", model.config)
            vocoder = Vocoder(codec, model.device)
            first_audio_seconds(state, runner, vocoder, builder)  # libraries set themselves up
            one, many = first_audio_seconds(state, runner, vocoder, builder)
            print(f"first audio: {one * 1e3:.0f} ms alone, {many * 1e3:.0f} ms at worst of 64")
            del state, runner, model, vocoder
            torch.cuda.empty_cache()


if __name__ == "__main__":
    main()
