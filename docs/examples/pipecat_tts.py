"""Speech for Pipecat, over the WebSocket /v1/audio/speech/stream.

pip install pipecat-ai websockets
OPENAI_BASE_URL=http://localhost:8000/v1 OPENAI_API_KEY=sk-… python pipecat_tts.py > speech.pcm
ffplay -f s16le -ar 24000 -ch_layout mono speech.pcm

In a pipeline: Pipeline([…, llm, SpeechTTSService(), transport.output(), …]).
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
from collections.abc import AsyncGenerator
from typing import Any

from pipecat.frames.frames import (
    EndFrame,
    ErrorFrame,
    Frame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TTSAudioRawFrame,
    TTSStoppedFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor, FrameProcessorSetup
from pipecat.services.settings import TTSSettings
from pipecat.services.tts_service import TextAggregationMode, WebsocketTTSService
from pipecat.workers.runner import WorkerRunner
from websockets.protocol import State

URL = os.environ["OPENAI_BASE_URL"].replace("http", "ws", 1) + "/audio/speech/stream?inactivity_timeout=600"
KEY = os.environ["OPENAI_API_KEY"]


WRITTEN = ["Of course! Dr. ", "Lee exp", "ects you at 9:30. Shall ", "I order a taxi?"]
"""The tokens of your model."""


class SpeechTTSService(WebsocketTTSService):
    """Each turn is a context of the socket. The service finds the sentences, so tokens are sent as they come."""

    def __init__(self, *, voice: str = "alloy", **kwargs: Any) -> None:
        super().__init__(
            text_aggregation_mode=TextAggregationMode.TOKEN,
            push_start_frame=True,
            settings=TTSSettings(model="tts-1", voice=voice, language=None),
            **kwargs,
        )
        self._receiving: asyncio.Task[None] | None = None
        self._begun: set[str] = set()

    async def setup(self, setup: FrameProcessorSetup) -> None:
        await super().setup(setup)
        await self._connect()

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame | None, None]:
        message: dict[str, Any] = {"context_id": context_id, "text": text}
        try:
            if not self._websocket or self._websocket.state is not State.OPEN:
                await self._connect()
            if context_id not in self._begun:
                self._begun.add(context_id)
                message |= {"voice": self._settings.voice, "sample_rate": self.sample_rate}
            await self._websocket.send(json.dumps(message))
            await self.start_tts_usage_metrics(text)
            yield None  # the audio comes by _receive_messages
        except Exception as error:
            yield ErrorFrame(error=f"{error}")

    async def flush_audio(self, context_id: str | None = None) -> None:
        """The turn's text is complete."""
        if context_id in self._begun and self._websocket:
            await self._websocket.send(json.dumps({"context_id": context_id, "text": ""}))

    async def on_audio_context_interrupted(self, context_id: str) -> None:
        """Stop speaking, and the bill with it."""
        await self.stop_all_metrics()
        if context_id in self._begun and self._websocket:
            await self._websocket.send(json.dumps({"context_id": context_id, "cancel": True}))
        await super().on_audio_context_interrupted(context_id)

    async def _connect(self) -> None:
        await super()._connect()
        await self._connect_websocket()
        if self._websocket and not self._receiving:
            self._receiving = self.create_task(self._receive_task_handler(self._report_error))

    async def _disconnect(self) -> None:
        await super()._disconnect()
        if self._receiving:
            await self.cancel_task(self._receiving)
            self._receiving = None
        await self._disconnect_websocket()

    async def _connect_websocket(self) -> None:
        if self._websocket and self._websocket.state is State.OPEN:
            return
        self._begun.clear()
        headers = {"authorization": f"Bearer {KEY}"}
        self._websocket = await self._websocket_connect(URL, additional_headers=headers)

    async def _disconnect_websocket(self) -> None:
        await self.stop_all_metrics()
        if self._websocket:
            await self._websocket.close()
            self._websocket = None

    async def _receive_messages(self) -> None:
        async for message in self._websocket:
            event = json.loads(message)
            context_id = event["context_id"]
            if event["type"] in ("done", "error"):
                self._begun.discard(context_id)
            if not self.audio_context_available(context_id):
                continue  # it was interrupted
            match event["type"]:
                case "chunk":
                    audio = base64.b64decode(event["data"])
                    frame = TTSAudioRawFrame(audio, self.sample_rate, 1, context_id=context_id)
                    await self.append_to_audio_context(context_id, frame)
                case "done":
                    await self.append_to_audio_context(context_id, TTSStoppedFrame(context_id=context_id))
                    await self.remove_audio_context(context_id)
                case "error":
                    await self.push_error(error_msg=event["error"]["message"])
                    await self.remove_audio_context(context_id)


class Speaker(FrameProcessor):
    """Writes the audio where the transport of a pipeline would send it."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSAudioRawFrame):
            sys.stdout.buffer.write(frame.audio)
        await self.push_frame(frame, direction)


async def main() -> None:
    worker = PipelineWorker(Pipeline([SpeechTTSService(voice="coral", sample_rate=24_000), Speaker()]))
    await worker.queue_frames(
        [
            LLMFullResponseStartFrame(),
            *map(LLMTextFrame, WRITTEN),
            LLMFullResponseEndFrame(),
            EndFrame(),
        ]
    )
    runner = WorkerRunner()
    await runner.add_workers(worker)
    await runner.run()


if __name__ == "__main__":
    asyncio.run(main())
