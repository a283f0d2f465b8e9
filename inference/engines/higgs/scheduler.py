"""Continuous batching. A turn has five phases, in this order: admit, prefill, launch, read back, decode.

A turn launches its own step before it reads back the rows of the turn before, so that a GPU is never without work
while the host thinks. The host turns to a single stream only where a chunk is due or a flag is set.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from inference.engines.higgs.first_chunk import StepClock, first_frames
from inference.engines.higgs.runners import Packed, Runner
from inference.engines.higgs.slots import BatchStep, Mark, Slots
from inference.engines.higgs.state import BROKEN, ENDED, BatchState
from inference.engines.higgs.stream import NO_SLOT, Stream
from inference.engines.higgs.vocoder import Vocoder
from inference.engines.protocol import EngineError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How the device is shared.

    Args:
        prefill_tokens: read at most between two steps, so that no prompt holds up who already speaks.
        pace_seconds: a stream that is so far ahead of its listener waits for the others; None lets all run.
    """

    prefill_tokens: int = 2048
    pace_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class _Launched:
    step: BatchStep
    rows: Callable[[], Packed]


class Scheduler:
    """All streams of one device; not thread-safe."""

    def __init__(
        self,
        state: BatchState,
        runner: Runner,
        vocoder: Vocoder,
        policy: Policy,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._vocoder, self._policy, self._clock = vocoder, policy, clock
        self.waiting: deque[Stream] = deque()
        self.loading: list[Stream] = []
        """Who has a slot and something to read."""
        self.speaking: dict[int, Stream] = {}
        """The running stream of each slot."""
        self._audible: dict[Stream, None] = {}
        """Who may have a chunk for the codec, in order of becoming so."""
        self._steps = StepClock()
        self.use(state, runner)

    def use(self, state: BatchState, runner: Runner) -> None:
        """Use this state from now on. No stream may hold a slot of the previous one."""
        self._state, self._runner = state, runner
        self._in_flight: _Launched | None = None
        self._slots = Slots(state.slots, length=state.length, codebooks=state.model.config.num_codebooks)

    @property
    def idle(self) -> bool:
        return not (self.waiting or self.loading or self.speaking or self._audible)

    @property
    def streams(self) -> list[Stream]:
        return list(dict.fromkeys([*self.loading, *self.speaking.values(), *self._audible, *self.waiting]))

    def add(self, stream: Stream) -> None:
        self.waiting.append(stream)

    def turn(self) -> bool:
        """Do a turn's work; False where there was nothing but waiting for listeners, or for full mailboxes."""
        self._drop_cancelled()
        self._admit()
        read = self._prefill()
        launched = self._launch()
        done, self._in_flight = self._in_flight, launched
        if done is not None:
            self._read_back(done)
        decoded = self._vocode(wait=not (read or launched or done))
        return bool(read or launched or done or decoded)

    def withdraw(self) -> None:
        """Take every slot back and let go of the state, until `use` brings another.

        An evicted stream keeps its frames and continues from them when it is admitted again.
        """
        self._in_flight = None
        for slot, stream in self.speaking.items():
            self._collect(stream, self._slots.count(slot))
        back = [*self.speaking.values(), *self.loading]
        for stream in back:
            stream.slot, stream.filled = NO_SLOT, 0
        self.speaking, self.loading = {}, []
        self.waiting.extendleft(reversed(back))
        del self._state, self._runner, self._slots

    def _drop_cancelled(self) -> None:
        for stream in self.streams:
            if stream.generation.cancelled:
                self._remove(stream)

    def _remove(self, stream: Stream) -> None:
        self._release(stream)
        self._audible.pop(stream, None)
        if stream in self.waiting:
            self.waiting.remove(stream)

    def _release(self, stream: Stream) -> None:
        """Free the stream's slot, if it has one."""
        if (slot := stream.slot) == NO_SLOT:
            return
        stream.slot = NO_SLOT
        self.speaking.pop(slot, None)
        if stream in self.loading:
            self.loading.remove(stream)
        self._slots.release(slot)

    def _admit(self) -> None:
        while self.waiting and (self._slots.free or not self.waiting[0].needs_slot):
            stream = self.waiting.popleft()
            stream.chunks.first = first_frames(self._steps.seconds, wait=stream.chunks.later_context)
            self._audible[stream] = None
            if stream.needs_slot:
                stream.slot = self._slots.take()
                self._begin(stream)

    def _begin(self, stream: Stream) -> None:
        """Let a stream that has a slot read what its sentence asks for."""
        self.speaking.pop(stream.slot, None)
        if stream in self.loading:
            self.loading.remove(stream)
        self._slots.renew(stream.slot)
        try:
            stream.begin()
        except EngineError as error:
            self._fail(stream, error)
        else:
            self.loading.append(stream)

    def _prefill(self) -> int:
        """Prefill up to the budget, streams without audio first; returns the tokens read."""
        budget = self._policy.prefill_tokens
        pieces, slots, starts = [], [], []
        for stream in sorted(self.loading, key=lambda stream: stream.first_audio_at is not None):
            if budget <= 0:
                break
            piece = stream.next_piece(budget)
            pieces.append(piece)
            slots.append(stream.slot)
            starts.append(stream.filled)
            stream.filled += len(piece.tokens)
            budget -= len(piece.tokens)
        if pieces:
            self._state.prefill(pieces, slots, starts)
        for stream in [stream for stream in self.loading if not len(stream.work.tokens)]:
            self.loading.remove(stream)
            self._start(stream)
        return self._policy.prefill_tokens - budget

    def _start(self, stream: Stream) -> None:
        """All is read: the stream takes part in steps from now on, or an earlier sentence can be timed."""
        slot = stream.slot
        if stream.untimed:
            self._time_words(stream, stream.untimed.popleft(), whole=True)
            if stream.needs_slot:
                self._begin(stream)
            else:
                self._release(stream)
            return
        self._state.admit(
            slot,
            position=stream.filled,
            rows=stream.rows,
            repeated=stream.repeated,
            tokens=stream.script.tokens_of(stream.sentence, stream.prompt_length),
            temperature=stream.temperature,
            top_p=stream.top_p,
            top_k=stream.top_k,
            seed=stream.seed,
        )
        self.speaking[slot] = stream
        self._slots.start(
            slot,
            position=stream.filled,
            top_k=stream.top_k,
            rows=len(stream.rows),
            due=stream.due,
        )

    def _launch(self) -> _Launched | None:
        now = self._clock()
        pace = self._policy.pace_seconds
        slots = sorted(
            slot
            for slot, stream in self.speaking.items()
            if not stream.generation.full and (pace is None or stream.lead_seconds(now) < pace)
        )
        if not slots:
            self._steps.pause()
            return None
        self._steps.step(now)
        step = self._slots.step(slots)
        rows = self._runner.launch(slots, live=min(step.furthest, self._state.length), candidates=step.candidates)
        return _Launched(step, rows)

    def _read_back(self, launched: _Launched) -> None:
        """Wait for a step's rows, keep the frames that they complete, and act on those rows that ask for it."""
        for mark in self._slots.keep(launched.step, launched.rows()):
            self._act_on(mark)

    def _act_on(self, mark: Mark) -> None:
        """Fail the request, end its sentence, cut it off at its limit, or hand its new frames to the codec."""
        slot, count = mark.slot, mark.count
        stream = self.speaking[slot]
        if mark.flags & BROKEN:
            self._state.clear(slot)
            self._fail(stream, EngineError("the model gave something else than numbers"))
        elif mark.flags & ENDED:
            self._collect(stream, count - 1)  # the row's own is the end, not a frame
            self._end_sentence(stream)
        else:
            self._collect(stream, min(count, stream.last))
            if count > stream.last:
                stream.ended = "length"
                if stream.times_words:
                    self._time_words(stream, stream.sentence, whole=False)
                self._release(stream)
            self._slots.look_at(slot, due=stream.due)
            self._audible[stream] = None

    def _collect(self, stream: Stream, count: int) -> None:
        """Give the stream the new ones of the sentence's first `count` frames."""
        if count > stream.drawn:
            stream.append(self._slots.frames(stream.slot, stream.drawn, count))

    def _time_words(self, stream: Stream, sentence: int, *, whole: bool) -> None:
        tokens, rows = stream.looked_at(sentence)
        stream.time_words(sentence, self._state.spoken_tokens(stream.slot, tokens, rows, whole=whole))

    def _end_sentence(self, stream: Stream, *, whole: bool = True) -> None:
        """Args: whole: it ended by itself, and was not cut off."""
        if whole:
            stream.trim()
        if stream.times_words and stream.slot in self.speaking:
            self._time_words(stream, stream.sentence, whole=whole)
        elif stream.times_words:
            stream.untimed.append(stream.sentence)  # its slot was being read anew
        stream.end_sentence()
        self._audible[stream] = None
        if stream.slot not in self.speaking:
            stream.filled = 0  # it was still being read
        if not stream.needs_slot:
            self._release(stream)
        elif stream.slot != NO_SLOT:
            self._begin(stream)

    def _vocode(self, *, wait: bool) -> bool:
        """Decode one batch of windows, those first whose listener has heard nothing yet.

        A stream whose mailbox is full gets no audio until its consumer has taken some.

        Args:
            wait: for the audio; otherwise a decoder that works in the background may hand it over in a later turn.
        """
        windows = []
        for stream in list(self._audible):
            if stream.generation.full:
                continue
            if (window := stream.next_window()) is not None:
                windows.append((stream, window))
                continue
            if stream.untimed:
                continue
            del self._audible[stream]
            if stream.ended:
                stream.generation.finish(stream.ended)
        windows.sort(key=lambda pair: pair[0].first_audio_at is not None)
        for stream, window, audio in self._vocoder.decode(windows, wait=wait):
            if stream not in self._audible:
                continue  # it was cancelled, or failed, while its window was decoded
            if stream.put(window, audio):
                self._end_sentence(stream, whole=False)
            if stream.first_audio_at is None:
                stream.first_audio_at = self._clock()
            if stream.slot in self.speaking:
                self._slots.look_at(stream.slot, due=stream.due)
        return bool(windows)

    def _fail(self, stream: Stream, error: EngineError) -> None:
        self._remove(stream)
        log.warning("request %s failed: %s", stream.generation.request.id, error)
        stream.generation.fail(error)

    def fail_all(self, error: EngineError) -> None:
        for stream in self.streams:
            self._remove(stream)
            stream.generation.fail(error)
