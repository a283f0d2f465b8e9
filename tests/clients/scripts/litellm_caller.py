"""What LiteLLM's library sees of the service, as one line of JSON."""

import asyncio
import base64
import json
import os

import litellm

litellm.suppress_debug_info = True
WHERE = {"api_base": os.environ["OPENAI_BASE_URL"], "api_key": os.environ["OPENAI_API_KEY"]}
MODEL = "openai/boson/higgs-audio-v2.5"
TEXT = "The quick brown fox jumps over the lazy dog."
ASK = {
    "model": MODEL,
    "modalities": ["text", "audio"],
    "messages": [{"role": "user", "content": TEXT}],
    **WHERE,
}


def of_completion(completion):
    audio = completion.choices[0].message.audio
    return {
        "bytes": len(base64.b64decode(audio.data)),
        "seconds": completion.usage.audio_seconds,
        "transcript": audio.transcript,
    }


def heard(chunks):
    audio = b""
    for chunk in chunks:
        for choice in chunk.choices:
            delta = getattr(choice.delta, "audio", None)
            data = delta.get("data") if isinstance(delta, dict) else getattr(delta, "data", None)
            audio += base64.b64decode(data or "")
    return {"bytes": len(audio)}


async def asynchronous():
    return of_completion(await litellm.acompletion(**ASK, audio={"voice": "alloy", "format": "wav"}))


def main():
    stream = litellm.completion(**ASK, audio={"voice": "alloy", "format": "pcm16"}, stream=True)
    speech = litellm.speech(model=MODEL, voice="alloy", input=TEXT, response_format="pcm", **WHERE)
    return {
        "chat": of_completion(litellm.completion(**ASK, audio={"voice": "alloy", "format": "wav"})),
        "chat stream": heard(stream),
        "speech": len(speech.content),
        "asynchronous": {"chat": asyncio.run(asynchronous())},
    }


print(json.dumps(main()))
