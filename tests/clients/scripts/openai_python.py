"""What the Python SDK sees of the service, as one line of JSON. Runs with nothing but the SDK installed."""

import asyncio
import base64
import json
import os

import openai

MODEL = "boson/higgs-audio-v2.5"
ASK = {
    "model": MODEL,
    "modalities": ["text", "audio"],
    "messages": [{"role": "user", "content": "The quick brown fox jumps over the lazy dog."}],
}
SAY = {"model": "tts-1", "voice": "alloy", "input": "The quick brown fox jumps over the lazy dog."}
WAV, PCM16 = {"voice": "alloy", "format": "wav"}, {"voice": "alloy", "format": "pcm16"}


def heard(chunks):
    audio, usage = b"", None
    for chunk in chunks:
        for choice in chunk.choices:
            delta = getattr(choice.delta, "audio", None) or {}
            audio += base64.b64decode(delta.get("data", "") if isinstance(delta, dict) else delta.data or "")
        usage = chunk.usage or usage
    return {"bytes": len(audio), "seconds": usage.audio_seconds}


def of_completion(completion):
    audio = completion.choices[0].message.audio
    return {
        "bytes": len(base64.b64decode(audio.data)),
        "seconds": completion.usage.audio_seconds,
        "transcript": audio.transcript,
    }


async def asynchronous():
    async with openai.AsyncOpenAI() as client:
        completion = await client.chat.completions.create(**ASK, audio=WAV)
        stream = await client.chat.completions.create(
            **ASK, audio=PCM16, stream=True, stream_options={"include_usage": True}
        )
        speech = await client.audio.speech.create(**SAY, response_format="pcm")
        return {
            "chat": of_completion(completion),
            "chat stream": heard([chunk async for chunk in stream]),
            "speech": len(await speech.aread() if hasattr(speech, "aread") else speech.read()),
        }


def refusal(client, **changed):
    try:
        client.chat.completions.create(**{**ASK, **changed})
    except openai.APIStatusError as error:
        return {"type": type(error).__name__, "status": error.status_code, "code": error.code}


def main():
    client = openai.OpenAI()
    if os.environ.get("RETRIED"):
        return {"chat": of_completion(client.chat.completions.create(**ASK, audio=WAV))}
    stream = client.chat.completions.create(
        **ASK, audio=PCM16, stream=True, stream_options={"include_usage": True}
    )
    raw = client.chat.completions.with_raw_response.create(**ASK, audio=WAV)
    with client.audio.speech.with_streaming_response.create(**SAY, response_format="pcm") as speech:
        pieces = [len(piece) for piece in speech.iter_bytes()]
    return {
        "version": openai.__version__,
        "models": [model.id for model in client.models.list()],
        "chat": of_completion(raw.parse()),
        "cost": raw.parse().usage.cost_usd,
        "headers": dict(raw.headers),
        "chat stream": heard(stream),
        "speech": len(client.audio.speech.create(**SAY, response_format="pcm").read()),
        "speech stream": sum(pieces),
        "asynchronous": asyncio.run(asynchronous()),
        "wrong key": refusal(client.with_options(api_key="sk-wrong")),
        "no such model": refusal(client, model="gpt-4o"),
        "no credit": refusal(client.with_options(api_key=os.environ["POOR_KEY"]), audio=WAV),
    }


print(json.dumps(main()))
