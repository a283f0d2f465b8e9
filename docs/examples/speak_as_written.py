"""Speak what a language model writes, while it writes it.

pip install openai websockets
OPENAI_BASE_URL=http://localhost:8000/v1 OPENAI_API_KEY=sk-… python speak_as_written.py > speech.pcm
ffplay -f s16le -ar 24000 -ch_layout mono speech.pcm
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
from collections.abc import AsyncIterator

from websockets.asyncio.client import ClientConnection, connect

URL = os.environ["OPENAI_BASE_URL"].replace("http", "ws", 1) + "/audio/speech/stream"
KEY = os.environ["OPENAI_API_KEY"]


async def written() -> AsyncIterator[str]:
    """Replace this by the deltas of your model's stream."""
    for word in [
        "Of",
        "course!",
        "Dr.",
        "Lee",
        "expects",
        "you",
        "at",
        "9:30.",
        "Shall",
        "I",
        "order",
        "a",
        "taxi?",
    ]:
        yield word + " "
        await asyncio.sleep(0.1)


async def write(socket: ClientConnection) -> None:
    await socket.send(json.dumps({"voice": "coral", "response_format": "pcm", "timestamps": "word"}))
    async for piece in written():
        await socket.send(json.dumps({"text": piece}))
    await socket.send(json.dumps({"text": ""}))


async def main() -> None:
    async with connect(URL, additional_headers={"authorization": f"Bearer {KEY}"}) as socket:
        writing = asyncio.create_task(write(socket))
        async for message in socket:
            event = json.loads(message)
            match event["type"]:
                case "chunk":
                    sys.stdout.buffer.write(base64.b64decode(event["data"]))
                case "timestamps":
                    for word in event["words"]:
                        print(f"{word['start']:7.3f} {word['word']}", file=sys.stderr)
                case "error":
                    raise SystemExit(event["error"]["message"])
                case "done":
                    print(f"${event['usage']['cost_usd']}", file=sys.stderr)
                    break
        await writing


asyncio.run(main())
