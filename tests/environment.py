"""Loaded before Django (`-p tests.environment`): each process of a test session lives in a folder of its own."""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import sys
import tempfile
from pathlib import Path

from httpx._config import DEFAULT_TIMEOUT_CONFIG

VAR_DIR = Path(tempfile.mkdtemp(prefix="speech-tests-"))
atexit.register(shutil.rmtree, VAR_DIR, ignore_errors=True)
SESSION_DIR = Path(os.environ.setdefault("TESTS_SESSION_DIR", str(VAR_DIR / "session")))
"""What the processes of a session share: the folder is in that of the first, which starts the others."""
SESSION_DIR.mkdir(exist_ok=True)

# The tests start hundreds of Python processes, which would all compile our sources again, and pytest the tests.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "API_KEY_PEPPERS", "ENGINE", "HIGGS_CHECKPOINT", "DEBUG"):
    os.environ.pop(name, None)
for name in ("HOST", "PORT", "PUBLIC_URL", "ALLOWED_HOSTS"):
    os.environ.pop(name, None)
os.environ["VAR_DIR"] = str(VAR_DIR)
os.environ["ALERTS_PRIVATE_TARGETS"] = "true"  # the receivers of the tests listen on this machine

# The clients of the tests ask a service that starts whether it is ready, many times over.
for client in ("httpx", "httpx2"):
    logging.getLogger(client).setLevel(logging.WARNING)

# httpx waits five seconds where a test names no time. Two busy cores may take as long, and nothing be wrong.
DEFAULT_TIMEOUT_CONFIG.connect = DEFAULT_TIMEOUT_CONFIG.read = DEFAULT_TIMEOUT_CONFIG.write = 30.0

# No build of torchaudio loads beside our torch. Where it is installed, with the training's judges, transformers
# would import it, and fail; it does without one that is not there.
sys.modules.setdefault("torchaudio", None)  # type: ignore[arg-type]
