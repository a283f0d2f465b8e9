"""What LangChain sees of the service, as one line of JSON."""

import asyncio
import base64
import json

from langchain_openai import ChatOpenAI

TEXT = "The quick brown fox jumps over the lazy dog."


def model(format):
    return ChatOpenAI(
        model="boson/higgs-audio-v2.5",
        model_kwargs={"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": format}},
    )


def of_message(message):
    audio = message.additional_kwargs["audio"]
    return {
        "bytes": len(base64.b64decode(audio["data"])),
        "transcript": audio["transcript"],
        "seconds": message.response_metadata["token_usage"]["audio_seconds"],
    }


def main():
    return {
        "chat": of_message(model("wav").invoke(TEXT)),
        "asynchronous": {"chat": of_message(asyncio.run(model("wav").ainvoke(TEXT)))},
    }


print(json.dumps(main()))
