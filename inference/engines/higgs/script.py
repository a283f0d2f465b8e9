"""The prompts of one request, sentence by sentence: each is asked for after all that was said before it.

A prompt is a function of the request and of the finished sentences' frames alone, so that another worker that
has the frames goes on with the same prompt.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch

from inference.audio import FRAME_MS
from inference.engines.higgs.guards import frame_cap
from inference.engines.higgs.speakers import RECORDED, Speaker
from inference.engines.protocol import Codes, EngineError, SpeechRequest, Unspeakable
from inference.higgs.model import Prompt
from inference.higgs.prompt import PromptBuilder, UnspeakableError


class Script:
    """What is asked of the model for one request, and how much of the past a prompt still holds.

    Args:
        capacity: positions of a slot.
        books: codebooks.

    Raises:
        EngineError: nobody has the name of one of the voices.
        Unspeakable: a sentence cannot be pronounced, or does not fit into a slot even with nothing before it.
    """

    def __init__(
        self,
        request: SpeechRequest,
        builder: PromptBuilder,
        speakers: Mapping[str, Speaker],
        *,
        capacity: int,
        books: int,
    ) -> None:
        self._builder, self._capacity, self._books = builder, capacity, books
        names = list(dict.fromkeys([*(t.voice for t in request.context), *(s.voice for s in request.segments)]))
        if unknown := [s.voice for s in request.segments if s.voice not in speakers]:
            raise EngineError(f"no voice is called {unknown[0]!r}; there are {', '.join(sorted(speakers))}")
        # The voice of an earlier turn may be gone: a recording that came with that turn, or a deleted voice.
        cast = {name: speakers.get(name, RECORDED) for name in names}
        tags = {name: builder.tag(n) if len(names) > 1 else "" for n, name in enumerate(names)}
        lines = [_line(speaker, builder) for speaker in cast.values()]
        parts = [builder.opening(style=request.style, speakers=[line for line in lines if line])]
        for name, speaker in cast.items():
            if speaker.sample is not None and speaker.sample.text:
                parts += [
                    builder.question(tags[name] + speaker.sample.text),
                    builder.answer(speaker.sample.frames),
                ]
        self._opening = Prompt.join(parts)
        self._past: list[Prompt] = []
        """The turns before the sentence, oldest first."""
        for turn in request.context:
            text = tags[turn.voice] + turn.text
            if turn.codes is None:
                self._past.append(builder.mention(text))
            elif builder.remembers:  # otherwise the turn is never read, so it need not be pronounceable
                self._remember(builder.question(text), turn.codes)
        self._texts = [segment.text for segment in request.segments]
        try:
            builder.check(self._texts)
            self._questions = [
                builder.question(tags[segment.voice] + segment.text, segment.phonemes)
                for segment in request.segments
            ]
        except UnspeakableError as error:
            raise Unspeakable("unsupported_text", str(error)) from error
        self.words = [builder.words(segment.text, segment.phonemes) for segment in request.segments]
        """What each question says, where the builder knows."""
        self.pauses = [-(-(segment.pause_ms or 0) // FRAME_MS) for segment in request.segments]
        """Frames of silence between each sentence and the next that the text asks for."""
        self.renderings = [speakers[segment.voice].rendering for segment in request.segments]
        """How each sentence's codes are to sound."""
        self._first = 0
        """The oldest turn that the prompt holds."""
        for question, said in zip(self._questions, self._texts, strict=True):
            length = len(self._opening.tokens) + len(question.tokens)
            if self._frames_beside(length) < _needed(said):
                raise Unspeakable("text_too_long", f"a prompt of {length} tokens leaves no room to speak")
        self.tokens = sum(len(part.tokens) for part in (self._opening, *self._past, *self._questions))
        """What the request costs to read; its own audio, which later sentences read again, is not counted."""

    def __len__(self) -> int:
        return len(self._questions)

    def ask(self, sentence: int) -> tuple[Prompt, int, bool]:
        """The prompt of a sentence whose predecessors have all been told to `finish`.

        Returns:
            The prompt, the most frames that the sentence may have, and whether the turns before it are all those
            that the last prompt held: what the slot holds of them may stay.
        """
        question, cap = self._questions[sentence], frame_cap(self._texts[sentence])
        first_before = self._first
        self._drop_old_turns(question, cap=cap, needed=_needed(self._texts[sentence]))
        prompt = Prompt.join([self._opening, *self._past[self._first :], question])
        stays = self._first == first_before and self._builder.remembers
        return prompt, min(cap, self._room(question)), stays

    def _drop_old_turns(self, question: Prompt, *, cap: int, needed: int) -> None:
        """Drop the oldest turns until the slot has room for `question` and its frames.

        Nothing is dropped while there is room for `cap` frames, the most that the sentence may have. Where there
        is none, as many turns are dropped as let prompt and frames fit into half of the slot: the turns that stay
        must be read anew, and the next sentences should not need that again. If there is still no room for the
        `needed` frames, without which it cannot be spoken, more are dropped; `__init__` has checked that it fits
        alone.
        """
        if self._room(question) < cap:
            while self._first < len(self._past) and self._length(question) + cap > self._capacity // 2:
                self._first += 1
        while self._room(question) < needed:
            self._first += 1

    def ask_alone(self, sentence: int) -> Prompt:
        """The prompt of a sentence with nothing before it; it is what `ask` gives where nothing is remembered."""
        return Prompt.join([self._opening, self._questions[sentence]])

    def tokens_of(self, sentence: int, prompt_length: int) -> slice:
        """Where in a prompt of this length the question's tokens stand, without the one that begins the audio."""
        return slice(prompt_length - len(self._questions[sentence].tokens), prompt_length - 1)

    def finish(self, sentence: int, frames: Codes) -> None:
        self._remember(self._questions[sentence], frames)

    def _remember(self, question: Prompt, codes: Codes) -> None:
        if not self._builder.remembers:
            return
        frames = torch.from_numpy(codes.astype("int64"))
        self._past.append(Prompt.join([question, self._builder.answer(frames)]))

    def _room(self, question: Prompt) -> int:
        """The frames that the prompt that ends with `question` leaves room for."""
        return self._frames_beside(self._length(question))

    def _frames_beside(self, prompt_length: int) -> int:
        """The frames that fit beside a prompt of so many tokens; the delay pattern adds a row a codebook."""
        return self._capacity - prompt_length - self._books

    def _length(self, question: Prompt) -> int:
        return sum(len(part.tokens) for part in (self._opening, *self._past[self._first :], question))


def _line(speaker: Speaker, builder: PromptBuilder) -> str | Prompt:
    """What the scene says of a speaker: a description, or a recording whose words nobody knows."""
    if speaker.sample is not None and not speaker.sample.text:
        return builder.recording(speaker.sample.frames)
    return speaker.description


def _needed(text: str) -> int:
    """The frames that a sentence takes to speak: its cap is a multiple of them."""
    return frame_cap(text) // 4
