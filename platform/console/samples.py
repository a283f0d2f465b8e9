"""The first request in three languages, ready to paste, with the service's address and, once, the key."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from gateway.catalog import MODELS
from inference.speech.voices import DEFAULT_VOICE

MODEL = next(iter(MODELS))
TEXT = "Hello! These are my first words."

CURL = """\
curl -sS {base_url}/chat/completions \\
  -H "Authorization: Bearer {key}" \\
  -H "Content-Type: application/json" \\
  -d '{{"model": "{model}",
       "modalities": ["text", "audio"],
       "audio": {{"voice": "{voice}", "format": "wav"}},
       "messages": [{{"role": "user", "content": "{text}"}}]}}' \\
| python3 -c 'import base64, json, sys
data = json.load(sys.stdin)["choices"][0]["message"]["audio"]["data"]
open("hello.wav", "wb").write(base64.b64decode(data))'"""

PYTHON = """\
# pip install openai
import base64{imports}
from openai import OpenAI

client = OpenAI(base_url="{base_url}", api_key={key})
answer = client.chat.completions.create(
    model="{model}",
    modalities=["text", "audio"],
    audio={{"voice": "{voice}", "format": "wav"}},
    messages=[{{"role": "user", "content": "{text}"}}],
)
with open("hello.wav", "wb") as file:
    file.write(base64.b64decode(answer.choices[0].message.audio.data))
print(answer.usage.audio_seconds, "s for $", answer.usage.cost_usd)"""

JAVASCRIPT = """\
// npm install openai
import {{ writeFile }} from "node:fs/promises";
import OpenAI from "openai";

const client = new OpenAI({{ baseURL: "{base_url}", apiKey: {key} }});
const answer = await client.chat.completions.create({{
  model: "{model}",
  modalities: ["text", "audio"],
  audio: {{ voice: "{voice}", format: "wav" }},
  messages: [{{ role: "user", content: "{text}" }}],
}});
await writeFile("hello.wav", Buffer.from(answer.choices[0].message.audio.data, "base64"));
console.log(answer.usage.audio_seconds, "s for $", answer.usage.cost_usd);"""


@dataclass(frozen=True, slots=True)
class Sample:
    id: str
    name: str
    code: str


def base_url() -> str:
    """The base URL for OpenAI's clients."""
    return f"{settings.ENVIRONMENT.origin}/v1"


def for_key(base_url: str, key: str | None) -> list[Sample]:
    """With the key while it can be shown, else with an environment variable."""
    code = {"base_url": base_url, "model": MODEL, "voice": DEFAULT_VOICE, "text": TEXT}
    quoted = f'"{key}"' if key else None
    return [
        Sample("curl", "curl", CURL.format(**code, key=key or "$OPENAI_API_KEY")),
        Sample(
            "python",
            "Python",
            PYTHON.format(
                **code, key=quoted or 'os.environ["OPENAI_API_KEY"]', imports="" if key else "\nimport os"
            ),
        ),
        Sample("javascript", "JavaScript", JAVASCRIPT.format(**code, key=quoted or "process.env.OPENAI_API_KEY")),
    ]
