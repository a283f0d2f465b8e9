"""The five things that the model maker's example client does, in its shapes, as one line of JSON.

See examples/vllm/run_chat_completion.py of boson-ai/higgs-audio. Runs with nothing but the SDK installed.
"""

import base64
import io
import json
import math
import struct
import wave

import openai

STOPS = ["<|eot_id|>", "<|end_of_text|>", "<|audio_eos|>"]
SAMPLING = {"temperature": 1.0, "top_p": 0.95, "extra_body": {"top_k": 50}, "stop": STOPS}
SCENE = "Generate audio following instruction.\n\n<|scene_desc_start|>\nA quiet room.\n<|scene_desc_end|>"
SPEAKERS = "Speak.\n\n<|scene_desc_start|>\nSPEAKER0: feminine\nSPEAKER1: masculine\n<|scene_desc_end|>"
TALK = "[SPEAKER0] I cannot find the keys.\n\n[SPEAKER1] They are where you left them."
TEXT = "The sun rises in the east and sets in the west."


def recording(seconds=25):
    """A WAV file of the size of theirs: 44.1 kHz, 2.2 MB."""
    samples = (int(9000 * math.sin(n / 30)) for n in range(seconds * 44_100))
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(44_100)
        written.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return base64.b64encode(file.getvalue()).decode()


def clone_messages():
    part = {"type": "input_audio", "input_audio": {"data": recording(), "format": "wav"}}
    return [
        {"role": "user", "content": "What is said in the recording."},
        {"role": "assistant", "content": [part]},
        {"role": "user", "content": TEXT},
    ]


def whole(completion):
    message = completion.choices[0].message
    with wave.open(io.BytesIO(base64.b64decode(message.audio.data))) as file:
        return {"samples": file.getnframes(), "rate": file.getframerate(), "text": message.content}


def streamed(chunks):
    """As the example reads them: each audio delta by its `data`, which is 16-bit PCM at 24 kHz."""
    pcm, deltas = b"", 0
    for chunk in chunks:
        if chunk.choices and hasattr(chunk.choices[0].delta, "audio") and chunk.choices[0].delta.audio:
            audio = chunk.choices[0].delta.audio
            data = audio["data"] if isinstance(audio, dict) else audio.data
            pcm += base64.b64decode(data)
            deltas += 1
    assert len(pcm) % 2 == 0
    return {"samples": len(pcm) // 2, "rate": 24_000, "deltas": deltas}


def main():
    client = openai.OpenAI(max_retries=0)
    model = client.models.list().data[0].id
    ask = {"model": model, "modalities": ["text", "audio"], **SAMPLING}
    plain = [{"role": "system", "content": SCENE}, {"role": "user", "content": TEXT}]
    talk = [{"role": "system", "content": SPEAKERS}, {"role": "user", "content": TALK}]
    create = client.chat.completions.create
    usage = {"stream_options": {"include_usage": True}}
    cloned = {"messages": clone_messages(), "max_completion_tokens": 500}
    return {
        "plain": whole(create(messages=plain, **ask)),
        "two speakers": whole(create(messages=talk, stream=False, **usage, **ask)),
        "two speakers streamed": streamed(create(messages=talk, stream=True, **usage, **ask)),
        "cloned": whole(create(**cloned, stream=False, **ask)),
        "cloned streamed": streamed(create(**cloned, stream=True, **ask)),
    }


print(json.dumps(main()))
