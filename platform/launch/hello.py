"""The first request of every `make run`: speech through our own front door, with the key that a customer has.

The key is shown once and kept in `demo.env` of VAR_DIR, mode 600, in the names that OpenAI's clients read.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import sys
import time
import urllib.error
import urllib.request
import wave
from dataclasses import dataclass
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

from inference.speech.voices import DEFAULT_VOICE

READY_SECONDS = 180.0
"""The first start compiles the voice's kernels. A busy machine with two cores has taken 100 s."""
MODEL = "boson/higgs-audio-v2.5"
TEXT = "Hello! This is your own speech service. It is ready when you are."


class NotReadyError(Exception):
    """The service does not serve; the message says which part is missing."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """What came back."""

    path: Path
    audio_seconds: float
    waited_seconds: float
    cost_usd: str
    model: str


def wait_until_ready(url: str, seconds: float = READY_SECONDS) -> None:
    """Wait until /readyz says yes.

    Raises:
        NotReadyError: it does not, with what it said last.
    """
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    until = time.monotonic() + seconds
    while True:
        try:
            with opener.open(f"{url}/readyz", timeout=5):
                return
        except urllib.error.HTTPError as error:
            missing = _missing(error.read())
        except OSError as error:
            missing = f"the gateway does not answer ({getattr(error, 'reason', error)})"
        if time.monotonic() > until:
            raise NotReadyError(f"not ready after {seconds:.0f} s: {missing}")
        time.sleep(0.1)


def _missing(body: bytes) -> str:
    """`worker: none alive`, from the checks of /readyz."""
    try:
        checks: dict[str, str] = json.loads(body)["checks"]
        return ", ".join(f"{name}: {state}" for name, state in checks.items() if state != "ok")
    except (ValueError, KeyError, TypeError, AttributeError):
        return "/readyz gives no reason"


def demo_key(path: Path, base_url: str) -> tuple[str, bool]:
    """The demo customer's key, and whether it is new. `path` holds it; where that is gone, so is the key."""
    from launch import demo

    fresh = demo.ensure_demo()
    kept = _read_key(path)
    key = fresh or kept or demo.renew_demo_key()
    content = f"OPENAI_BASE_URL={base_url}\nOPENAI_API_KEY={key}\n"
    if not path.exists() or path.read_text() != content:
        draft = path.with_name(f".{path.name}.draft")
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600)
        draft.write_text(content)
        draft.replace(path)
    return key, key != kept


def _read_key(path: Path) -> str | None:
    try:
        match = re.search(r"^OPENAI_API_KEY=(\S+)$", path.read_text(), re.MULTILINE)
    except FileNotFoundError:
        return None
    return match[1] if match else None


def speak(base_url: str, key: str, path: Path) -> Spoken:
    """Ask for speech as any customer does, and write it to `path`."""
    import openai

    # Nothing of the caller's environment, a proxy least of all, belongs between us and ourselves.
    with openai.OpenAI(
        base_url=base_url, api_key=key, http_client=openai.DefaultHttpxClient(trust_env=False), timeout=60
    ) as client:
        began = time.monotonic()
        completion = client.chat.completions.create(
            model=MODEL,
            modalities=["text", "audio"],
            audio={"voice": DEFAULT_VOICE, "format": "wav"},
            messages=[{"role": "user", "content": TEXT}],
        )
        waited = time.monotonic() - began
    audio, usage = completion.choices[0].message.audio, completion.usage
    if audio is None or usage is None:
        raise ValueError("the answer has no audio, or no usage")
    data = base64.b64decode(audio.data)
    path.write_bytes(data)
    with wave.open(BytesIO(data)) as sound:
        seconds = sound.getnframes() / sound.getframerate()
    return Spoken(path, seconds, waited, str((usage.model_extra or {}).get("cost_usd", "?")), completion.model)


def say_hello(url: str, var_dir: Path) -> str:
    """Wait, make the key, speak; what to show of it all. A failure is told, not raised: serving goes on."""
    environment_file = var_dir / "demo.env"
    try:
        import_module("openai")  # takes a while, which the parts need to start anyway
        wait_until_ready(url)
        key, is_new = demo_key(environment_file, f"{url}/v1")
        spoken = speak(f"{url}/v1", key, var_dir / "hello.wav")
    except NotReadyError as error:
        return f"No hello: {error}.\nThe lines above, and {_short(var_dir / 'logs')}, tell why."
    except Exception as error:
        return f"No hello: {_describe(error)}\nThe service goes on at {url}."
    finally:
        _close_connections()
    return _report(url, environment_file, spoken, key if is_new else None)


def _describe(error: Exception) -> str:
    """The error envelope, where the service sent one."""
    body: Any = getattr(error, "body", None)
    status = getattr(error, "status_code", None)
    if body is None:
        return f"{type(error).__name__}: {error}"
    hint = "\nDelete demo.env in VAR_DIR and start again for a new key." if status == 401 else ""
    return f"the service answered {status} {json.dumps({'error': body}, ensure_ascii=False)}{hint}"


def _close_connections() -> None:
    from django.db import connections

    connections.close_all()


def _short(path: Path) -> str:
    """The path as one would type it here, quoted for a shell."""
    here = os.path.relpath(path)
    return shlex.quote(str(path) if here.startswith("..") else here)


def _report(url: str, environment_file: Path, spoken: Spoken, new_key: str | None) -> str:
    shown = f"{new_key}   (shown this once)" if new_key else "as before"
    return f"""\
  Ready at {url}

  spoken     {_short(spoken.path)}: {spoken.audio_seconds:.2f} s of audio in {spoken.waited_seconds:.2f} s
  cost       ${spoken.cost_usd}
  voice      {spoken.model}
  API key    {shown}
             kept in {_short(environment_file)}
  console    {url}/console
             (sign up there; the e-mail with the link appears here, in the gateway's log)

  The next request, from another terminal:

set -a; . {_short(environment_file)}; set +a
curl -sS "$OPENAI_BASE_URL/chat/completions" \\
  -H "Authorization: Bearer $OPENAI_API_KEY" -H "Content-Type: application/json" \\
  -d '{{"model": "{MODEL}", "modalities": ["text", "audio"],
       "audio": {{"voice": "{DEFAULT_VOICE}", "format": "wav"}},
       "messages": [{{"role": "user", "content": "My first words."}}]}}'

  or, with the official client:

set -a; . {_short(environment_file)}; set +a
{_short(Path(sys.executable))} - <<'END'
import base64, openai
answer = openai.OpenAI().chat.completions.create(
    model="{MODEL}", modalities=["text", "audio"],
    audio={{"voice": "{DEFAULT_VOICE}", "format": "wav"}},
    messages=[{{"role": "user", "content": "My first words."}}],
)
open("speech.wav", "wb").write(base64.b64decode(answer.choices[0].message.audio.data))
print(answer.usage.cost_usd)
END

  Ctrl-C stops everything."""
