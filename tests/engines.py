"""The engine of the tests' worker: the preview voice, unless the system message is a script.

`script: {"frames": 50, "pace": 0.04}` speaks a 440 Hz sine of 50 frames, one every 40 ms; with `"at once": 5` in
chunks of 5 frames, and the rest of this happens between chunks. `"fail": n` breaks the first n attempts at the
first frame; `"break": n` breaks the first attempt, or with `"always": true` every one, after n frames;
`"stall": n` says nothing more after n frames; `"breaks": path` breaks the whole engine, if there is a file of that
name, and removes it; `"echo context"` speaks what was said earlier instead. So one worker serves every test, at
the test's own pace.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import redis
from django.conf import settings

from inference.engines.preview.engine import PreviewEngine
from inference.engines.protocol import (
    SAMPLE_RATE,
    SAMPLES_PER_FRAME,
    Chunk,
    EngineError,
    Generation,
    Segment,
    SpeechRequest,
)
from tests.faults import steps

PREFIX = "script:"


class ScriptedEngine(PreviewEngine):
    def __init__(self) -> None:
        super().__init__()
        steps.install(redis.Redis.from_url(settings.REDIS_URL))
        self._tries: Counter[str] = Counter()

    def submit(self, request: SpeechRequest) -> Generation:
        if not request.style.startswith(PREFIX):
            return super().submit(request)
        script = json.loads(request.style.removeprefix(PREFIX))
        if script.get("echo context"):
            said = tuple(Segment(turn.text, turn.voice) for turn in request.context)
            return super().submit(replace(request, segments=said))
        generation = Generation(request, prompt_tokens=1)
        if (mark := Path(script.get("breaks", ""))).is_file():
            mark.unlink()
            self.close()
            generation.fail(EngineError("the engine broke"))
            return generation
        threading.Thread(target=self._play, args=(generation, script), daemon=True).start()
        return generation

    def _play(self, generation: Generation, script: dict[str, Any]) -> None:
        request = generation.request
        self._tries[request.id] += 1
        if self._tries[request.id] <= script.get("fail", 0):
            generation.fail(EngineError("as the script says: secret words"))
            return
        limit = request.max_frames or script["frames"]
        end, at_once = min(script["frames"], limit), script.get("at once", 1)
        for frame in range(0, end, at_once):
            if generation.cancelled:
                return
            if frame == script.get("break") and (self._tries[request.id] == 1 or script.get("always")):
                generation.fail(EngineError("midway, as the script says"))
                return
            while frame == script.get("stall") and not generation.cancelled:
                time.sleep(0.02)
            frames = min(at_once, end - frame)
            time.sleep(script.get("pace", 0) * frames)
            generation.wait_for_room()
            t = np.arange(frame * SAMPLES_PER_FRAME, (frame + frames) * SAMPLES_PER_FRAME) / SAMPLE_RATE
            generation.put(Chunk((0.5 * np.sin(2 * np.pi * 440 * t)).astype(np.float32), frames))
        generation.finish("length" if script["frames"] > limit else "stop")
