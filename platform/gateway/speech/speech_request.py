"""What a validated request asks to be spoken, and how long it may become."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from gateway import catalog
from gateway.chat_schemas import MAX_CONTEXT_TURNS, AudioOptions, ChatRequest, Message, TextPart
from gateway.errors import ApiError, invalid
from gateway.schemas import (
    MAX_SPEED,
    MAX_STYLE_CHARACTERS,
    MAX_TEXT_CHARACTERS,
    MIN_SPEED,
    SpeechAsk,
    SpeechBody,
    Voice,
)
from gateway.speech.casting import cast
from gateway.speech.conversation import EarlierTurn
from gateway.speech.spoken_length import SpokenLength, spoken_length
from inference.audio import FRAME_MS
from inference.speech import ssml
from inference.speech.dialogue import split_lines
from inference.speech.spec import SpeechSpec
from inference.speech.voices import DEFAULT_VOICE

MODEL_END_MARKERS = frozenset({"<|eot_id|>", "<|end_of_text|>", "<|audio_eos|>"})
"""The model's own ends: as `stop` they ask for what happens anyway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechOrder(SpeechSpec):
    """A text to speak, refused or complete: nothing after this point is the client's fault."""

    context: tuple[EarlierTurn, ...] = ()
    store: bool | None = None
    """Whether the audio may be kept; None for what key and organization say."""
    voice_param: str = "voice"
    """Where the request names the voice; `<voice_param>s` is where it names those of a dialogue."""
    dictionary: str = ""
    """The pronunciation dictionary that the request names."""
    expected_frames: int
    """About how long the text takes to speak, or a little more."""
    capped: bool = False
    """Whether the client has set `max_frames`."""
    warnings: tuple[str, ...] = ()
    """What of the request was ignored."""

    @property
    def held_frames(self) -> int:
        """The audio that admission holds money for; if the text takes longer, more is held while it is spoken."""
        return min(self.expected_frames, self.max_frames)

    @property
    def held_ms(self) -> int:
        return self.held_frames * FRAME_MS

    def as_long_as(self, length: SpokenLength) -> SpeechOrder:
        """The order with the length that was found out for its text."""
        bound = self.max_frames if self.capped else length.most_frames
        return replace(self, max_frames=bound, expected_frames=length.expected_frames)


def order_from_chat(
    request: ChatRequest, offered: Sequence[str], *, most_characters: int = MAX_TEXT_CHARACTERS
) -> SpeechOrder:
    """The order in a chat request: the last user message is spoken, by one of the voices `offered`; system
    messages are its style, and earlier answers of ours are what it goes on from.

    Args:
        most_characters: how long the spoken text may be.

    Raises:
        ApiError: 404 for an unknown model, 400 for anything else that cannot be spoken.
    """
    model = catalog.find(request.model)
    if set(request.modalities) != {"text", "audio"}:
        raise invalid(
            "Invalid value for 'modalities': it must contain 'text' and 'audio', as in ['text', 'audio'].",
            param="modalities",
            code="unsupported_value",
        )
    audio = request.audio
    voice = _voice(audio.voice, offered, "audio.voice") if audio else DEFAULT_VOICE
    # A stream is pcm16 where nothing is said, which is the one format of OpenAI's streams.
    named = (audio and audio.format) or ("pcm16" if request.stream else "wav")
    format = catalog.known_format(named, "audio.format", audio or AudioOptions())
    index = _last_user_message(request.messages)
    given = _text_to_speak(request, index)
    param = f"messages[{index}].content"
    text, speed, warnings = _read(given, request, param, most=most_characters, stops=bool(request.stop))
    cap = request.max_completion_tokens or request.max_tokens
    length = spoken_length(text, speed=speed)
    style = _style(request.messages)
    return SpeechOrder(
        model=model.id,
        voice=voice,
        voices=cast(
            text,
            scene=style,
            voice=voice,
            voices=audio.voices if audio else None,
            offered=offered,
            param="audio.voices",
        ),
        format=str(format),
        text=text,
        style=style,
        max_frames=cap or length.most_frames,
        expected_frames=length.expected_frames,
        capped=cap is not None,
        speed=speed,
        dictionary=request.pronunciation or "",
        warnings=warnings,
        sampling=request.sampling(),
        timestamps=request.timestamps or "",
        service_tier=request.tier,
        context=_context(request.messages[:index]),
        store=request.store,
        voice_param="audio.voice",
    )


def order_from_speech(
    request: SpeechBody, offered: Sequence[str], *, most_characters: int = MAX_TEXT_CHARACTERS
) -> SpeechOrder:
    """The order in a speech request: `input` is spoken, in the style of `instructions`.

    Args:
        most_characters: how long `input` may be.

    Raises:
        ApiError: 404 for an unknown model, 400 for anything else that cannot be spoken.
    """
    model = catalog.find(request.model)
    voice = _voice(request.voice, offered, "voice")
    text, speed, warnings = _read(request.input, request, "input", most=most_characters, speed=request.speed)
    length = spoken_length(text, speed=speed)
    style = _clean(request.instructions or "")
    return SpeechOrder(
        model=model.id,
        voice=voice,
        voices=cast(text, scene=style, voice=voice, voices=request.voices, offered=offered, param="voices"),
        format=str(catalog.known_format(request.response_format, "response_format", request)),
        text=text,
        style=style,
        max_frames=request.max_completion_tokens or length.most_frames,
        expected_frames=length.expected_frames,
        capped=request.max_completion_tokens is not None,
        dictionary=request.pronunciation or "",
        warnings=warnings,
        sampling=request.sampling(),
        timestamps=request.timestamps or "",
        service_tier=request.tier,
        speed=speed,
        store=request.store,
    )


def _read(
    given: str, request: SpeechAsk, param: str, *, most: int, speed: float = 1.0, stops: bool = False
) -> tuple[str, float, tuple[str, ...]]:
    """The text to speak, its speed, and what of it is ignored.

    Raises:
        ApiError: 400, it is too long, or empty, or not the SSML that it is said to be.
    """
    if request.input_type != "ssml":
        return _checked(given, param, most=most, stops=stops), speed, ()
    try:
        read = ssml.read(given, most=ssml.CHARACTERS_PER_CHARACTER * most)
    except ssml.SsmlError as error:
        raise invalid(f"Invalid value for {param!r}: {error}.", param=param, code="invalid_ssml") from None
    paced = min(MAX_SPEED, max(MIN_SPEED, speed * read.speed))
    return _checked(read.text, param, most=most, stops=stops), paced, tuple(read.ignored)


def _voice(voice: Voice, offered: Sequence[str], param: str) -> str:
    return catalog.known_voice(voice if isinstance(voice, str) else voice.id, offered, param)


def _last_user_message(messages: list[Message]) -> int:
    for index in range(len(messages) - 1, -1, -1):
        if messages[index].role == "user":
            return index
    raise invalid("'messages' must contain a user message: it is what is spoken.", param="messages")


def _text_to_speak(request: ChatRequest, index: int) -> str:
    """The message's text up to the first stop sequence."""
    message = request.messages[index]
    if isinstance(message.content, list) and any(not isinstance(p, TextPart) for p in message.content):
        param = f"messages[{index}].content"
        raise invalid(
            f"Invalid value for {param!r}: only text can be spoken, so each part must have type 'text'.",
            param=param,
            code="unsupported_value",
        )
    text = _text_of(message)
    for stop in request.stop or ():
        if stop not in MODEL_END_MARKERS:
            text = text.partition(stop)[0]
    return text


def _style(messages: Sequence[Message]) -> str:
    """All system messages, a line or more each."""
    parts: list[str] = []
    length = 0
    for position, message in enumerate(messages):
        if message.role in ("system", "developer"):
            parts.append(_text_of(message))
            length += len(parts[-1]) + (len(parts) > 1)
            if length > MAX_STYLE_CHARACTERS:
                raise _too_long(length, MAX_STYLE_CHARACTERS, f"messages[{position}].content", "are style, in all")
    return _clean("\n".join(parts))


def _context(earlier: Sequence[Message]) -> tuple[EarlierTurn, ...]:
    """The earlier answers that are named, oldest first; of a long conversation the last ones.

    Raises:
        ApiError: 404 for what is no id of ours, 400 for one that is named twice.
    """
    turns: dict[UUID, EarlierTurn] = {}
    for position, message in enumerate(earlier):
        if message.role == "assistant" and message.audio:
            param = f"messages[{position}].audio.id"
            turn = EarlierTurn.named(message.audio.id, param)
            if turn.job_id in turns:
                raise invalid(
                    f"Invalid value for {param!r}: {turns[turn.job_id].param!r} names this audio already.",
                    param=param,
                )
            turns[turn.job_id] = turn
    return tuple(turns.values())[-MAX_CONTEXT_TURNS:]


def _text_of(message: Message) -> str:
    if isinstance(message.content, list):
        # A line each: joined without a break, "Total: 5" and "0 items" would be another number.
        return "\n".join(part.text for part in message.content if isinstance(part, TextPart))
    return message.content or ""


def _checked(text: str, param: str, *, most: int, stops: bool = False) -> str:
    """The text to speak, which may be without a word: then a short silence is the answer.

    Args:
        most: how many characters it may have.
        stops: whether stop sequences may have cut it.

    Raises:
        ApiError: 400, it is too long, or empty.
    """
    if len(text) > most:
        raise _too_long(len(text), most, param, "can be spoken")
    text = _clean(text)
    if not split_lines(text):
        # Of what is not empty, the worker decides whether it has a word: only the normalised text tells.
        raise invalid(
            f"Invalid value for {param!r}: there is nothing in it to speak, as it is empty"
            f"{', or empty before the first stop sequence' if stops else ''}.",
            param=param,
            code="nothing_to_speak",
        )
    return text


def _too_long(length: int, most: int, param: str, for_what: str) -> ApiError:
    return invalid(
        f"Invalid value for {param!r}: {length} characters; at most {most} {for_what}.",
        param=param,
        code="string_above_max_length",
    )


def _clean(text: str) -> str:
    """Without NUL, which PostgreSQL cannot hold; the other control characters go when the text is normalised."""
    return text.replace("\0", "")
