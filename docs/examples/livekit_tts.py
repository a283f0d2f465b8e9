"""Speech for LiveKit Agents, over the WebSocket /v1/audio/speech/stream.

pip install livekit-agents websockets
OPENAI_BASE_URL=http://localhost:8000/v1 OPENAI_API_KEY=sk-… python livekit_tts.py > speech.pcm
ffplay -f s16le -ar 24000 -ch_layout mono speech.pcm

In an agent: AgentSession(tts=SpeechTTS(), …).
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys

from livekit.agents import (
    DEFAULT_API_CONNECT_OPTIONS,
    APIConnectionError,
    APIConnectOptions,
    APIStatusError,
    tts,
    utils,
)
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

URL = os.environ["OPENAI_BASE_URL"].replace("http", "ws", 1) + "/audio/speech/stream"
KEY = os.environ["OPENAI_API_KEY"]


WRITTEN = ["Of course! Dr. ", "Lee exp", "ects you at 9:30. Shall ", "I order a taxi?"]
"""The tokens of your model."""


class SpeechTTS(tts.TTS):
    def __init__(self, *, voice: str = "alloy") -> None:
        super().__init__(capabilities=tts.TTSCapabilities(streaming=True), sample_rate=24_000, num_channels=1)
        self.voice = voice

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> tts.ChunkedStream:
        return self._synthesize_with_stream(text, conn_options=conn_options)

    def stream(self, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS) -> tts.SynthesizeStream:
        return SpeechStream(tts=self, conn_options=conn_options, voice=self.voice)


class SpeechStream(tts.SynthesizeStream):
    """One text. Closing the stream closes its socket, which stops the speech and the bill."""

    def __init__(self, *, tts: tts.TTS, conn_options: APIConnectOptions, voice: str) -> None:
        super().__init__(tts=tts, conn_options=conn_options)
        self._voice = voice

    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        segment_id = utils.shortuuid()
        output_emitter.initialize(
            request_id=segment_id, sample_rate=24_000, num_channels=1, mime_type="audio/pcm", stream=True
        )
        output_emitter.start_segment(segment_id=segment_id)
        try:
            async with connect(URL, additional_headers={"authorization": f"Bearer {KEY}"}) as socket:
                writing = asyncio.create_task(self._write(socket))
                try:
                    await self._read(socket, output_emitter)
                finally:
                    await utils.aio.cancel_and_wait(writing)
        except (OSError, WebSocketException) as error:
            raise APIConnectionError(str(error)) from error
        output_emitter.end_segment()

    async def _write(self, socket: ClientConnection) -> None:
        await socket.send(json.dumps({"voice": self._voice}))
        async for piece in self._input_ch:
            if isinstance(piece, str):
                self._mark_started()
                await socket.send(json.dumps({"text": piece}))
            else:
                await socket.send(json.dumps({"flush": True}))
        await socket.send(json.dumps({"text": ""}))

    async def _read(self, socket: ClientConnection, output_emitter: tts.AudioEmitter) -> None:
        async for message in socket:
            event = json.loads(message)
            match event["type"]:
                case "chunk":
                    output_emitter.push(base64.b64decode(event["data"]))
                case "error":
                    raise APIStatusError(event["error"]["message"], status_code=event["status"])
                case "done":
                    return


async def main() -> None:
    stream = SpeechTTS(voice="coral").stream()
    for token in WRITTEN:
        stream.push_text(token)
    stream.end_input()
    async for audio in stream:
        sys.stdout.buffer.write(audio.frame.data)
    await stream.aclose()


if __name__ == "__main__":
    asyncio.run(main())
