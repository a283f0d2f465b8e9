"""What a validated request asks to be spoken, and how long it may become."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from gateway import catalog
from gateway.errors import ApiError, invalid
from gateway.schemas import MAX_COMPLETION_TOKENS, MAX_TEXT_CHARACTERS, ChatRequest, Message, TextPart
from inference.speech.formats import FORMAT_NAMES
from inference.speech.voices import DEFAULT_VOICE, VOICES
from inference.units import FRAME_MS, FRAME_RATE

MODEL_END_MARKERS = frozenset({"<|eot_id|>", "<|end_of_text|>", "<|audio_eos|>"})
"""The model's own ends: as `stop` they ask for what happens anyway."""

LETTERS_PER_SECOND = 15
BOUND_FACTOR = 3
"""How many times its expected speaking time a text may take."""
BOUND_MARGIN_SECONDS = 4
SYMBOL_WEIGHT = 8
"""A digit or a sign stands for a word: "7" is "seven", "%" is "percent"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechOrder:
    """A text to speak, refused or complete: nothing after this point is the client's fault."""

    model: str
    voice: str
    format: str
    text: str
    style: str
    max_frames: int
    sampling: dict[str, float | int] = field(default_factory=dict)

    @property
    def cap_ms(self) -> int:
        """The longest audio this order can become, which is what admission holds money for."""
        return self.max_frames * FRAME_MS


def order_from_chat(request: ChatRequest) -> SpeechOrder:
    """The order in a chat request: the last user message is spoken, system messages are its style.

    Raises:
        ApiError: 404 for an unknown model, 400 for anything else that cannot be spoken.
    """
    if request.model not in catalog.MODELS:
        raise catalog.unknown_model(request.model)
    if set(request.modalities) != {"text", "audio"}:
        raise invalid(
            "Invalid value for 'modalities': it must contain 'text' and 'audio', as in ['text', 'audio'].",
            param="modalities",
            code="unsupported_value",
        )
    voice, format_name = _voice_and_format(request)
    text, param = _spoken_text(request)
    sampling = {
        name: value
        for name in ("temperature", "top_p", "top_k", "seed")
        if (value := getattr(request, name)) is not None
    }
    return SpeechOrder(
        model=request.model,
        voice=voice,
        format=format_name,
        text=_checked(text, param),
        style=_clean("\n".join(_text_of(m) for m in request.messages if m.role in ("system", "developer"))),
        max_frames=request.max_completion_tokens or request.max_tokens or frame_bound(text),
        sampling=sampling,
    )


def frame_bound(text: str) -> int:
    """The most frames `text` may take when the client sets no cap: a multiple of its expected speaking time."""
    weight = sum(1 if c.isalpha() or c.isspace() else SYMBOL_WEIGHT for c in text)
    seconds = BOUND_FACTOR * weight / LETTERS_PER_SECOND + BOUND_MARGIN_SECONDS
    return min(math.ceil(seconds * FRAME_RATE), MAX_COMPLETION_TOKENS)


def _voice_and_format(request: ChatRequest) -> tuple[str, str]:
    if request.audio is None:
        return DEFAULT_VOICE, "wav"
    voice = request.audio.voice if isinstance(request.audio.voice, str) else request.audio.voice.id
    if voice not in VOICES:
        raise _unsupported("voice", "audio.voice", voice, VOICES)
    if request.audio.format not in FORMAT_NAMES:
        raise _unsupported("format", "audio.format", request.audio.format, FORMAT_NAMES)
    return voice, request.audio.format


def _unsupported(kind: str, param: str, value: str, known: tuple[str, ...]) -> ApiError:
    return invalid(
        f"Invalid {kind} {value[:100]!r}. Supported values: {', '.join(known)}.",
        param=param,
        code="unsupported_value",
    )


def _spoken_text(request: ChatRequest) -> tuple[str, str]:
    """The last user message up to the first stop sequence, and where it stands in the request."""
    for index in range(len(request.messages) - 1, -1, -1):
        message = request.messages[index]
        if message.role == "user":
            break
    else:
        raise invalid("'messages' must contain a user message: it is what is spoken.", param="messages")
    param = f"messages[{index}].content"
    if isinstance(message.content, list) and any(not isinstance(p, TextPart) for p in message.content):
        raise invalid(
            f"Invalid value for {param!r}: only text can be spoken, so each part must have type 'text'.",
            param=param,
            code="unsupported_value",
        )
    text = _text_of(message)
    for stop in request.stop or ():
        if stop not in MODEL_END_MARKERS:
            text = text.partition(stop)[0]
    return text, param


def _text_of(message: Message) -> str:
    if isinstance(message.content, list):
        return "".join(part.text for part in message.content if isinstance(part, TextPart))
    return message.content or ""


def _checked(text: str, param: str) -> str:
    if len(text) > MAX_TEXT_CHARACTERS:
        raise invalid(
            f"Invalid value for {param!r}: {len(text)} characters; at most {MAX_TEXT_CHARACTERS} can be spoken.",
            param=param,
            code="string_above_max_length",
        )
    text = _clean(text)
    if not any(c.isalnum() for c in text):
        raise invalid(
            f"Invalid value for {param!r}: there is no word in it to speak (after any stop sequence).",
            param=param,
            code="nothing_to_speak",
        )
    return text


def _clean(text: str) -> str:
    """Without NUL, which PostgreSQL cannot hold; the other control characters go when the text is normalised."""
    return text.replace("\0", "")
