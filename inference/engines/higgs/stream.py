"""One request on its way through the engine: where its text stands, its frames, its audio."""

from __future__ import annotations

import hashlib
from collections import deque

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference.engines.higgs.guards import SilenceWatch
from inference.engines.higgs.script import Script
from inference.engines.protocol import (
    FRAME_RATE,
    SAMPLES_PER_FRAME,
    Chunk,
    Codes,
    FinishReason,
    Generation,
    SpeechRequest,
    SpokenWord,
)
from inference.higgs.codec_stream import ChunkStream, Excerpt, Track, Window
from inference.higgs.config import HiggsConfig, SamplingDefaults
from inference.higgs.delay import delay
from inference.higgs.model import Prompt
from inference.higgs.silence import CodedSilence

NO_SLOT = -1
UNKNOWN = -1
"""A code that is drawn anew, see `SamplerState.repeat`."""


class Stream:
    """A generation's state on the host. The scheduler alone touches it, from one thread.

    Where the checkpoint says how much silence its sentences begin with, so many frames of each are not kept:
    nobody hears them or pays for them, and they are drawn again where a sentence is resumed.

    Codes are kept as sampled, a stray stream code among them included: a resumed stream must be fed the same.
    A row of nothing but EOS codes marks, in the checkpoint, where a sentence ends.
    """

    def __init__(
        self,
        generation: Generation,
        script: Script,
        config: HiggsConfig,
        *,
        context: int,
        alignment: int = 1,
        sampling: SamplingDefaults = SamplingDefaults(),  # noqa: B008  (it is frozen)
        silence: CodedSilence | None = None,
    ) -> None:
        """Args: context, alignment: the codec's. sampling, silence: the checkpoint's; None makes no pauses."""
        request = generation.request
        self.generation, self.script, self.config = generation, script, config
        self.limit = request.max_frames
        self.temperature = sampling.temperature if request.temperature is None else request.temperature
        self.top_p = sampling.top_p if request.top_p is None else request.top_p
        top_k = sampling.top_k if request.top_k is None else request.top_k
        self.top_k = top_k if self.temperature > 0 else 1
        self.slot = NO_SLOT
        self.ended: FinishReason | None = None
        """Set once no further frame will come."""
        self.sentence = 0
        self.total = 0
        """Frames known."""
        self.cap = 0
        """Frames that the sentence may have."""
        self.prompt_length = 0
        self.work = Prompt(torch.empty(0, dtype=torch.int64), torch.empty(0, dtype=torch.int64))
        """What must be read before the next row can be sampled."""
        self.filled = 0
        """Positions of the slot that hold what they must before `work`."""
        self.rows: Tensor = torch.empty(0)
        """[R, N], the sentence's rows that are read, and the one that is fed next."""
        self.repeated: Tensor = torch.empty(0)
        """[R, N], those that are known beyond them, and are drawn once more."""
        self.first_audio_at: float | None = None
        self.chunks = ChunkStream(samples_per_frame=SAMPLES_PER_FRAME, context=context, alignment=alignment)
        self._track = Track()
        self._aligned = bool(config.alignment_heads)
        self._seed = _seed(request)
        self._codes = np.empty((64, config.num_codebooks), np.int16)
        self._ends: list[int] = []
        """Of each sentence that has ended, the number of frames up to its end."""
        self._starts = [0]
        """Of each of those sentences and of the next one: the number of frames before it."""
        self._ends_sent = 0
        """How many of the ends have been marked in a chunk's codes."""
        self._silence = SilenceWatch()
        self._silent = silence
        self._lead = silence.before if silence else 0
        """Frames at the beginning of each sentence that are drawn and not kept."""
        self._planned = 0
        """Frames that a window has been planned to keep."""
        self._words: deque[SpokenWord] = deque()
        """Those whose time is known and that no chunk has told of."""
        self.untimed: deque[int] = deque()
        """Sentences that an earlier attempt has spoken, and whose words' times are not known yet."""
        if not len(script):
            self.ended = "stop"
        self._recall(request.checkpoint)
        self._recalled = self.total

    @property
    def seed(self) -> int:
        """The sentence's; rows are numbered anew in each."""
        return self._seed + self.sentence * 0x9E3779B97F4A7C15

    @property
    def start(self) -> int:
        """Frames before the sentence."""
        return self._starts[-1]

    @property
    def needs_slot(self) -> bool:
        """Whether something is to be read or spoken yet."""
        return self.ended is None or bool(self.untimed)

    @property
    def drawn(self) -> int:
        """Frames of the sentence that the network has drawn as far as is known, those nobody hears included."""
        return self._lead + self.total - self.start

    @property
    def last(self) -> int:
        """Frames that the network may draw for it; one more shows that it would have gone on."""
        return self.cap if self.limit is None else min(self.cap, self._lead + self.limit - self.start)

    @property
    def due(self) -> int:
        """The number of drawn frames at which there is something to do."""
        wanted = self._lead + self.chunks.wanted - self.start  # that lets the next chunk out
        return min(self.last + 1, max(self.drawn + 1, wanted))

    def _recall(self, checkpoint: Codes | None) -> None:
        """Take an earlier attempt's frames, unless another kind of model made them."""
        if checkpoint is None or checkpoint.ndim != 2 or checkpoint.shape[1] != self.config.num_codebooks:
            return
        if not ((checkpoint >= 0) & (checkpoint < self.config.codebook_size)).all():
            return
        begin = 0
        for end in np.flatnonzero((checkpoint == self.config.eos_code).all(axis=1)).tolist():
            if self.ended is None:
                self.script.ask(self.sentence)  # what the prompt has let go by now must be let go again
                self.append(checkpoint[begin:end])
                if self._aligned and self.script.words[self.sentence]:
                    self.untimed.append(self.sentence)
                self.end_sentence()
                begin = end + 1 + self.start - self._ends[-1]  # after the pause, as far as it was made
        if self.ended is None:
            self.append(checkpoint[begin:])
        self.filled = 0  # of a slot that another worker had

    def begin(self) -> None:
        """Work out what the slot must read for the sentence, or for one whose words are still to be timed."""
        if self.untimed:
            self._begin_timing(self.untimed[0])
            return
        prompt, self.cap, stays = self.script.ask(self.sentence)
        standing = self.filled if stays else 0
        known = torch.from_numpy(self._codes[self.start : self.total].astype(np.int64))
        if self._lead and len(known):
            known = torch.cat([known.new_full((self._lead, known.shape[1]), UNKNOWN), known])
        rows = delay(known, self.config)[: len(known) + 1]
        # Where what a row sees depends on the rows before it, they cannot be read at once.
        readable = 1 if self.config.alignment_window else len(rows)
        self.rows, self.repeated = rows[:readable], rows[readable:]
        self.prompt_length = len(prompt.tokens)
        whole = prompt.extended(self.rows[:-1], self.config.audio_out_id)
        _, self.work = whole.split(standing, self.config)
        self.filled = standing

    def _begin_timing(self, sentence: int) -> None:
        begin, end = self._bounds(sentence)
        frames = torch.from_numpy(np.concatenate([self._lead_in, self._codes[begin:end]]).astype(np.int64))
        prompt = self.script.ask_alone(sentence)
        self.prompt_length = len(prompt.tokens)
        self.work = prompt.extended(delay(frames, self.config)[: len(frames)], self.config.audio_out_id)
        self.filled = 0

    @property
    def _lead_in(self) -> Codes:
        """Frames that stand for those before a sentence which were drawn and not kept."""
        codes = self._silent.codes if self._silent else self._codes[0]
        return np.tile(codes, (self._lead, 1))

    def _bounds(self, sentence: int) -> tuple[int, int]:
        """The frames of a sentence; of the one that is being spoken, those that are known."""
        return self._starts[sentence], self._ends[sentence] if sentence < len(self._ends) else self.total

    def looked_at(self, sentence: int) -> tuple[slice, slice]:
        """The positions of a sentence's tokens, and of the rows from which its frames were made."""
        begin, end = self._bounds(sentence)
        first = self.prompt_length + self._lead
        return self.script.tokens_of(sentence, self.prompt_length), slice(first, first + end - begin)

    def time_words(self, sentence: int, path: NDArray[np.int64]) -> None:
        """Note when a sentence's words are spoken. Args: path: which of its tokens each frame says, [F]."""
        begin, _ = self._bounds(sentence)
        for word in self.script.words[sentence]:
            first, last = np.searchsorted(path, [word.start, word.end]).tolist()
            start, end = ((begin + place) * SAMPLES_PER_FRAME for place in (first, last))
            if first < len(path):  # others come after the sentence was cut off
                self._words.append(SpokenWord(word.text, start, end))

    @property
    def times_words(self) -> bool:
        """Whether the sentence's words can be timed once it has ended."""
        return self._aligned and bool(self.script.words[self.sentence]) and self.total > self.start

    def _begun_before(self, frame: int) -> tuple[SpokenWord, ...]:
        """Take the words that begin before a frame; those of a sentence come once it has ended."""
        words = []
        while self._words and self._words[0].start < frame * SAMPLES_PER_FRAME:
            words.append(self._words.popleft())
        return tuple(words)

    def next_piece(self, tokens: int) -> Prompt:
        """Take up to so many tokens off the work."""
        piece, self.work = self.work.split(tokens, self.config)
        return piece

    def append(self, frames: Codes) -> None:
        """Add the next frames [F, N]."""
        end = self.total + len(frames)
        if end > len(self._codes):
            self._codes = np.concatenate([self._codes, np.empty((end, self._codes.shape[1]), np.int16)])
        self._codes[self.total : end] = frames
        self.total = end

    def end_sentence(self) -> None:
        """The sentence has the frames that there are; a pause may follow, and then come the next one's."""
        self.script.finish(self.sentence, self._codes[self.start : self.total])
        # The slot holds the prompt, the row of BOS, and every row that has nothing but frames.
        self.filled = self.prompt_length + self.drawn + 1
        self._ends.append(self.total)
        if self.sentence + 1 < len(self.script):
            self._pause(self.script.pauses[self.sentence])
        self._starts.append(self.total)
        self.sentence += 1
        if self.sentence == len(self.script):
            self.ended = "stop"
        elif self.limit is not None and self.total >= self.limit:
            self.ended = "length"

    def _pause(self, frames: int) -> None:
        """Go on with silence, frames like others but that nothing has drawn them."""
        if self.limit is not None:
            frames = min(frames, self.limit - self.total)
        if self._silent and frames > 0:
            self.append(np.tile(self._silent.codes, (frames, 1)))

    def trim(self) -> None:
        """The sentence has ended: after the last one, leave out its silence, as far as no window keeps it yet."""
        if self._silent and self.sentence + 1 == len(self.script):
            heard = max(self.start, self._planned, self._recalled)
            self.total = max(heard, self.total - self._silent.after)

    def _in_pause(self, window: Window) -> NDArray[np.bool]:
        """Which of the frames that a window keeps are silent because a text asks for it."""
        frames = np.arange(window.start, window.end)
        following = np.searchsorted(self._ends, frames, side="right")
        return frames < np.array(self._starts)[following]

    def next_window(self) -> Window | None:
        if self.untimed:
            return None  # its audio comes with its words
        window = self.chunks.plan(self.total, final=self.ended is not None)
        self._planned = window.end if window else self._planned
        return window

    def codes(self, window: Window) -> Codes:
        """What the codec is to decode [F, N]; a stray stream code becomes the last code, as in training."""
        return self._codes[window.low : window.high].clip(0, self.config.codebook_size - 3)

    def excerpt(self, window: Window) -> Excerpt:
        """What the codec must know of it beside the codes: frames sound as the voice of their sentence does."""
        voices = self.script.renderings
        sentences = np.searchsorted(self._ends, np.arange(window.low, window.high), side="right")
        return Excerpt(window, self._track, [voices[min(n, len(voices) - 1)] for n in sentences.tolist()])

    def put(self, window: Window, audio: Tensor) -> bool:
        """Send a decoded window's audio and codes.

        A sentence that has been silent for too long is cut: later frames of it that have been sampled are dropped.
        Silence that ends within an earlier sentence cuts nothing, nor does any once the last frame is known.

        Returns:
            Whether the sentence was cut and is to be ended by the caller.
        """
        pcm = self.chunks.take(window, audio).clamp(-1, 1).numpy()
        end, cut = window.end, False
        silent_frames = self._silence.ends_at(pcm, asked=self._in_pause(window))
        if silent_frames is not None and self.ended is None and window.start + silent_frames > self.start:
            end, cut = window.start + silent_frames, True
            self._silence.reset()
            pcm = pcm[: silent_frames * SAMPLES_PER_FRAME]
            self.chunks.emitted = self.total = self._planned = end
            self._track.forget()
        ends = tuple(place * SAMPLES_PER_FRAME for place in self._unsent_ends(end))
        codes = self._checkpoint(window.start, end)
        self.generation.put(Chunk(pcm, end - window.start, codes, self._begun_before(end), sentence_ends=ends))
        return cut

    def _checkpoint(self, start: int, end: int) -> Codes:
        """The codes of frames [start, end) as a checkpoint has them: with a row of EOS where a sentence ended.

        The end of a sentence may become known only when its last frame has been sent. Its row then comes first in
        the next chunk, before that chunk's frames.
        """
        ends = self._unsent_ends(end)
        self._ends_sent += len(ends)
        return np.insert(self._codes[start:end], [place - start for place in ends], self.config.eos_code, axis=0)

    def _unsent_ends(self, end: int) -> list[int]:
        """The ends of sentences up to this frame that no chunk has told of."""
        return [place for place in self._ends[self._ends_sent :] if place <= end]

    def lead_seconds(self, now: float) -> float:
        """How far the frames are ahead of a listener who plays since the first audio; less than 0 before it."""
        return -1.0 if self.first_audio_at is None else self.total / FRAME_RATE - (now - self.first_audio_at)


def _seed(request: SpeechRequest) -> int:
    """The request's seed, or one of its own, the same at every attempt."""
    if request.seed is not None:
        return request.seed
    return int.from_bytes(hashlib.blake2b(request.id.encode(), digest_size=8).digest())
