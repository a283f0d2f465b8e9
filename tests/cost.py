"""What a piece of work costs."""

from __future__ import annotations

import time
from collections.abc import Callable


def cpu_seconds(work: Callable[[], object]) -> float:
    """The processor time that this thread takes for it."""
    began = time.thread_time()
    work()
    return time.thread_time() - began
