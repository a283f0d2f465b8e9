"""The secrets of an embedded installation: made once, kept under VAR_DIR with mode 600."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    secret_key: str
    api_key_peppers: dict[int, bytes]


def made_up() -> Secrets:
    """Secrets for the life of this process."""
    return Secrets(secrets.token_urlsafe(48), {1: secrets.token_bytes(32)})


def load_or_create(var_dir: Path) -> Secrets:
    """Read `secrets.json`, or make it. Of two processes that start together, one makes it and both read it."""
    path = var_dir / "secrets.json"
    if not path.exists():
        var_dir.mkdir(parents=True, exist_ok=True)
        fresh = {"secret_key": secrets.token_urlsafe(48), "api_key_peppers": {"1": secrets.token_hex(32)}}
        draft = var_dir / f".secrets-{secrets.token_hex(8)}"
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(fresh))
        try:
            os.link(draft, path)  # fails where `rename` would replace what another process just made
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    stored = json.loads(path.read_text())
    peppers = {int(number): bytes.fromhex(pepper) for number, pepper in stored["api_key_peppers"].items()}
    return Secrets(stored["secret_key"], peppers)
