"""One text of a socket, spoken sentence by sentence while it is still being written."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from typing import Any
from uuid import UUID

from starlette.requests import HTTPConnection
from starlette.websockets import WebSocketDisconnect

from gateway.errors import ApiError, invalid, unforeseen
from gateway.service import Service
from gateway.speech import stream_messages
from gateway.speech.outcome import Bill
from gateway.speech.relay import Piece, Times
from gateway.speech.speech_request import SpeechOrder
from gateway.speech.stream_messages import HEADERLESS, StreamMessage
from gateway.speech.stream_sentence import SentenceJob, read_order
from inference.failures import place_of
from inference.speech.formats import AudioFormat
from inference.speech.incoming import IncomingSentence, SentenceCutter

log = logging.getLogger(__name__)

MOST_WAITING_CHARACTERS = 40_000
"""Of a context, not spoken yet."""
MOST_WAITING_SENTENCES = 1_000
MOST_EARLIER = 4
"""Sentences before one that its voice goes on from."""
PAUSE_MS = 300
"""Silence between two sentences. The service adds it, and it costs nothing."""
_SILENCE = {"pcm": b"\x00\x00", "mulaw": b"\xff", "alaw": b"\xd5"}
"""A sample of it."""
_Flush = int
"""The number of a flush, which is answered once all before it is spoken."""


class StreamContext:
    """Raises ApiError: 400 or 404, the settings in the first message are wrong."""

    def __init__(
        self,
        service: Service,
        connection: HTTPConnection,
        first: StreamMessage,
        offered: Sequence[str],
        send: Callable[[str], Awaitable[None]],
    ) -> None:
        self._service = service
        self._connection = connection
        self._id = first.context_id
        self._settings: dict[str, Any] = {"model": "tts-1", "response_format": "pcm", **first.settings}
        order = read_order("Hello.", self._settings, offered)
        self._format = AudioFormat.parse(order.format)
        if self._format.name not in HEADERLESS:
            raise invalid(
                f"Invalid value for 'response_format': over a socket one of {', '.join(HEADERLESS)}.",
                param="response_format",
                code="unsupported_value",
            )
        self._send = send
        self._cutter = SentenceCutter()
        self._waiting: deque[IncomingSentence | _Flush] = deque()
        self._characters = 0
        """Those of the waiting sentences."""
        self._flushes = 0
        self._is_complete = False
        self._arrived = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._cancelled = False
        """Whether the client has cancelled it."""
        self._is_stopping = False
        self._bills: list[Bill] = []
        self._earlier: deque[UUID] = deque(maxlen=MOST_EARLIER)
        self._sent_bytes = 0

    def start(self, forget: Callable[[], object]) -> None:
        """Begin to speak; `forget` is called when all is spoken, cancelled or refused."""
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(lambda _: forget())

    @property
    def is_speaking(self) -> bool:
        """Whether there is something to say, or to be said still."""
        return bool(self._waiting) or self._arrived.is_set()

    def take(self, message: StreamMessage) -> None:
        """Add what the message says. Raises ApiError: the text has ended, or too much of it waits."""
        if message.cancel:
            self._cancelled = True
            self.cancel()
            return
        if self._is_complete:
            raise invalid("The text of this context has ended.", param="text", code="context_ended")
        text = (message.text or "").replace("\0", "")
        waiting = self._characters + self._cutter.waiting + len(text)
        if waiting > MOST_WAITING_CHARACTERS or len(self._waiting) > MOST_WAITING_SENTENCES:
            raise invalid(
                f"More than {MOST_WAITING_CHARACTERS} characters wait to be spoken in this context: send the next "
                "pieces when some of them are.",
                param="text",
                code="too_much_text",
            )
        self._add(self._cutter.push(text))
        if message.flush or message.ends:
            self._add(self._cutter.flush())
        if message.flush:
            self._flushes += 1
            self._waiting.append(self._flushes)
        self._is_complete = message.ends
        self._arrived.set()

    def cancel(self) -> None:
        """Stop at once, or, where a library swallows the cancellation, at the next event."""
        self._is_stopping = True
        if self._task is not None:
            self._task.cancel()

    async def ended(self) -> None:
        """Wait until nothing of it is left."""
        if self._task is not None:
            await asyncio.wait([self._task])

    def _add(self, sentences: Sequence[IncomingSentence]) -> None:
        self._waiting += sentences
        self._characters += sum(len(each.text) for each in sentences)

    async def _run(self) -> None:
        try:
            await self._speak_all()
        except asyncio.CancelledError:
            if not self._cancelled:
                raise
            with suppress(WebSocketDisconnect, RuntimeError):
                await self._send(self._done())
        except WebSocketDisconnect:
            return
        except Exception as error:
            with suppress(WebSocketDisconnect, RuntimeError):
                await self._send(stream_messages.error(self._id, _refusal_of(error)))

    async def _speak_all(self) -> None:
        while True:
            while self._waiting:
                self._check()
                following = self._waiting.popleft()
                if isinstance(following, IncomingSentence):
                    self._characters -= len(following.text)
                    await self._speak(following)
                else:
                    await self._send(stream_messages.flush_done(self._id, following))
            if self._is_complete:
                await self._send(self._done())
                return
            self._check()
            self._arrived.clear()
            await self._arrived.wait()

    def _check(self) -> None:
        """Raise CancelledError where a cancellation of the task was swallowed, as Python 3.11's wait_for does now
        and then (python/cpython#86296)."""
        if self._is_stopping:
            raise asyncio.CancelledError

    async def _speak(self, sentence: IncomingSentence) -> None:
        job = SentenceJob(self._service, self._connection)
        granularity = self._settings.get("timestamps", "")
        after_ms = 0
        try:
            async with aclosing(job.events(sentence.text, self._settings, tuple(self._earlier))) as events:
                async for event in events:
                    self._check()
                    match event:
                        case SpeechOrder():
                            await self._send(self._begun(sentence, job))
                            await self._pause()
                            after_ms = self._sent_ms
                        case Piece():
                            await self._pass_on(event.data)
                        case Times():
                            told = stream_messages.times(
                                self._id, event, granularity, after_ms=after_ms, offset=sentence.offset
                            )
                            await self._send(told)
        finally:
            if job.bill is not None:
                self._bills.append(job.bill)
        if job.job_id is not None:
            self._earlier.append(job.job_id)

    def _begun(self, sentence: IncomingSentence, job: SentenceJob) -> str:
        request_id, audio_id = f"req_{job.row.id.hex}", f"audio_{job.job_id.hex if job.job_id else ''}"
        return stream_messages.sentence(self._id, sentence.text, request_id=request_id, audio_id=audio_id)

    async def _pause(self) -> None:
        if self._sent_bytes:
            samples = PAUSE_MS * self._format.sample_rate // 1000
            await self._pass_on(_SILENCE[self._format.name] * samples)

    async def _pass_on(self, audio: bytes) -> None:
        await self._send(stream_messages.chunk(self._id, audio))
        self._sent_bytes += len(audio)

    @property
    def _sent_ms(self) -> int:
        samples = self._sent_bytes // len(_SILENCE[self._format.name])
        return samples * 1000 // self._format.sample_rate

    def _done(self) -> str:
        return stream_messages.done(self._id, stream_messages.usage_of(self._bills), cancelled=self._cancelled)


def _refusal_of(error: Exception) -> ApiError:
    if isinstance(error, ApiError):
        return error
    log.error("a sentence of a socket failed\n%s", place_of(error))
    return unforeseen(error)
