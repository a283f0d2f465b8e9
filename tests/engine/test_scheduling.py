"""Who gets the device, turn by turn."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from inference.engines.higgs.first_chunk import LAST_FRAMES, first_frames  # noqa: E402
from inference.engines.higgs.runners import EagerRunner, Packed  # noqa: E402
from inference.engines.higgs.scheduler import Policy, Scheduler  # noqa: E402
from inference.engines.higgs.script import Script  # noqa: E402
from inference.engines.higgs.speakers import DESCRIBED  # noqa: E402
from inference.engines.higgs.state import BatchState  # noqa: E402
from inference.engines.higgs.stream import NO_SLOT, Stream  # noqa: E402
from inference.engines.higgs.vocoder import Vocoder  # noqa: E402
from inference.engines.protocol import FRAME_RATE, MAILBOX_FRAMES, Generation, SpeechRequest  # noqa: E402
from inference.higgs.checkpoint import load_checkpoint  # noqa: E402
from inference.higgs.codec import CONTEXT, load_codec  # noqa: E402
from inference.higgs.config import load_ras_config  # noqa: E402
from inference.higgs.prompt import PromptBuilder  # noqa: E402
from tests.engine.checkpoints import listen, request  # noqa: E402


class Watched(Scheduler):
    """A scheduler by hand, with a record of what it does; its clock stands still unless `now` is set."""

    def __init__(self, folder: Path, *, slots: int, **policy: Any) -> None:
        self.model = load_checkpoint(folder).model
        self.builder = PromptBuilder(folder / "tokenizer.json", self.model.config)
        self.read: list[dict[int, int]] = []
        self.events: list[str] = []
        self.decoded: list[int] = []
        self.busy = False
        """Whether the codec has no time."""
        self.now = 0.0
        watched = self

        class State(BatchState):
            def prefill(self, pieces: list[Any], slots: list[int], starts: list[int]) -> None:
                watched.read.append({s: len(p.tokens) for s, p in zip(slots, pieces, strict=True)})
                super().prefill(pieces, slots, starts)

        class Runner(EagerRunner):
            def launch(self, slots: list[int], **options: Any) -> Callable[[], Packed]:
                watched.events.append("launch")
                rows = super().launch(slots, **options)

                def wait() -> Packed:
                    watched.events.append("read")
                    return rows()

                return wait

        class Windows(Vocoder):
            def decode(self, windows: Any, *, wait: bool = True) -> Any:
                done = [] if watched.busy else super().decode(windows)
                watched.decoded.append(len(done))
                return done

        state = State(self.model, slots=slots, length=1024, ras=load_ras_config(folder))
        codec = Windows(load_codec(folder / "codec"), torch.device("cpu"))
        super().__init__(state, Runner(state), codec, Policy(**policy), clock=lambda: self.now)

    def submit(self, asked: SpeechRequest) -> Stream:
        script = Script(asked, self.builder, DESCRIBED, capacity=1024, books=8)
        stream = Stream(Generation(asked), script, self.model.config, context=CONTEXT)
        self.add(stream)
        return stream

    def turn_until(self, condition: Callable[[], Any]) -> None:
        for _ in range(1000):
            if condition():
                return
            self.turn()
        raise AssertionError("not within 1000 turns")


def test_a_cancelled_streams_slot_is_anothers_at_the_next_turn(endless_checkpoint: Path) -> None:
    scheduler = Watched(endless_checkpoint, slots=1)
    first, second = scheduler.submit(request("First.")), scheduler.submit(request("Second."))
    scheduler.turn_until(lambda: first.total > 5)
    assert second.slot == NO_SLOT
    first.generation.cancel()
    scheduler.turn()
    assert scheduler.streams == [second]
    assert second.slot == 0


@pytest.mark.parametrize("moment", ["waiting", "read", "spoken", "drained"])
def test_a_stream_may_be_cancelled_at_any_moment(endless_checkpoint: Path, moment: str) -> None:
    scheduler = Watched(endless_checkpoint, slots=1, prefill_tokens=50)
    first, second = scheduler.submit(request("First.")), scheduler.submit(request("Second.", max_frames=60))
    conditions: dict[str, Callable[[], Any]] = {
        "waiting": lambda: True,
        "read": lambda: second in scheduler.loading,
        "spoken": lambda: second.total > 0,
        "drained": lambda: second.ended,
    }
    if moment != "waiting":
        first.generation.cancel()
    scheduler.turn_until(conditions[moment])
    second.generation.cancel()
    scheduler.turn()
    assert second not in scheduler.streams
    first.generation.cancel()
    scheduler.turn()
    assert scheduler.idle


def test_prompts_are_read_within_the_budget_while_others_speak(endless_checkpoint: Path) -> None:
    scheduler = Watched(endless_checkpoint, slots=3, prefill_tokens=16)
    speaking = scheduler.submit(request("Hello."))
    scheduler.turn_until(lambda: speaking.total > 0)
    scheduler.read.clear()
    scheduler.events.clear()
    late = [scheduler.submit(request("A longer one that comes in late.")) for _ in range(2)]
    scheduler.turn_until(lambda: all(stream.slot in scheduler.speaking for stream in late))
    assert all(sum(sizes.values()) <= 16 for sizes in scheduler.read)
    assert len(scheduler.read) > 20
    assert scheduler.events.count("launch") == len(scheduler.read), "no turn without a step"


def test_who_has_not_been_heard_is_read_first(endless_checkpoint: Path) -> None:
    scheduler = Watched(endless_checkpoint, slots=2, prefill_tokens=16)
    heard = scheduler.submit(request("Hello.", "A second sentence, which is to be read after the first."))
    scheduler.turn_until(lambda: heard.first_audio_at is not None)
    scheduler._end_sentence(heard)
    scheduler.turn()
    before = heard.filled
    new = scheduler.submit(request("New."))
    scheduler.turn_until(lambda: new.slot in scheduler.speaking)
    assert heard.filled - before < 16
    scheduler.turn_until(lambda: heard.slot in scheduler.speaking)


def test_first_chunks_are_decoded_before_others(endless_checkpoint: Path) -> None:
    scheduler = Watched(endless_checkpoint, slots=2)
    old = scheduler.submit(request("Hello."))
    scheduler.turn_until(lambda: old.chunks.emitted >= 32)
    new = scheduler.submit(request("New."))
    scheduler.busy = True
    scheduler.turn_until(lambda: old.next_window() and new.next_window())
    emitted = old.chunks.emitted
    scheduler.busy = False
    scheduler.turn()
    assert new.chunks.emitted > 0
    assert old.chunks.emitted == emitted
    scheduler.turn_until(lambda: old.chunks.emitted > emitted)


def test_windows_of_many_streams_are_decoded_together(endless_checkpoint: Path) -> None:
    scheduler = Watched(endless_checkpoint, slots=4)
    for seed in range(4):
        scheduler.submit(request("Hello.", seed=seed, max_frames=64))
    scheduler.turn_until(lambda: scheduler.idle)
    assert set(scheduler.decoded) <= {0, 4}
    assert scheduler.decoded.count(4) >= 4


def test_a_step_is_launched_before_the_last_one_is_read(endless_checkpoint: Path) -> None:
    scheduler = Watched(endless_checkpoint, slots=1)
    scheduler.submit(request("Hello.", max_frames=10))
    scheduler.turn_until(lambda: scheduler.idle)
    assert scheduler.events[:5] == ["launch", "launch", "read", "launch", "read"]
    assert scheduler.events.count("launch") == scheduler.events.count("read")


def test_a_stream_whose_mailbox_is_full_waits_and_the_others_go_on(endless_checkpoint: Path) -> None:
    scheduler = Watched(endless_checkpoint, slots=2)
    frames = MAILBOX_FRAMES + 100
    unheard, heard = (
        scheduler.submit(request("Hello, hello, hello, hello.", max_frames=frames)) for _ in range(2)
    )
    with ThreadPoolExecutor(1) as pool:
        listening = pool.submit(listen, heard.generation)
        scheduler.turn_until(lambda: heard not in scheduler.streams)
        assert len(listening.result()[0]) == frames
    scheduler.turn_until(lambda: not scheduler.turn())
    assert unheard.generation.full
    assert MAILBOX_FRAMES <= unheard.chunks.emitted < MAILBOX_FRAMES + unheard.chunks.chunk
    assert unheard.total < frames, "nor is it stepped"
    with ThreadPoolExecutor(1) as pool:
        listening = pool.submit(listen, unheard.generation)
        scheduler.turn_until(lambda: scheduler.turn() and scheduler.idle)
        assert len(listening.result()[0]) == frames


def test_a_paced_stream_waits_for_its_listener(endless_checkpoint: Path) -> None:
    scheduler = Watched(endless_checkpoint, slots=1, pace_seconds=1.0)
    stream = scheduler.submit(request("Hello, is anybody listening to me?"))
    scheduler.turn_until(lambda: stream.first_audio_at is not None)
    for _ in range(60):
        scheduler.turn()
    held = stream.total
    assert FRAME_RATE <= held < 3 * FRAME_RATE
    assert not scheduler.turn(), "there is nothing to do but wait"
    scheduler.now += 1
    scheduler.turn_until(lambda: stream.total > held)


@pytest.mark.parametrize("step", [0.0, 0.002, 0.01, 0.015, 0.02])
def test_the_first_chunk_lasts_until_the_second_is_there(step: float) -> None:
    frames = first_frames(step, wait=6)
    assert 4 <= frames <= LAST_FRAMES
    assert frames / FRAME_RATE >= (frames + 6) * step
    assert (
        first_frames(step, wait=6)
        <= first_frames(step + 0.001, wait=6)
        <= first_frames(1.0, wait=6)
        == LAST_FRAMES
    )
