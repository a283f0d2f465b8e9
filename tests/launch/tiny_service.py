"""A supervisor of tiny parts as a program of its own, for tests to signal and to kill.

`python -m tests.launch.tiny_service VAR_DIR '{"name": ["sh", "-c", "…"], …}' [GRACE_SECONDS]`
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from launch import locks as claims
from launch.parts import Part
from launch.processes import CannotRunError
from launch.supervisor import Supervisor
from launch.terminal import Terminal


def main(var_dir: Path, commands: dict[str, list[str]], grace_seconds: float) -> int:
    terminal = Terminal(list(commands), sys.stdout, var_dir / "logs")
    supervisor = Supervisor(terminal, var_dir, dict(os.environ))

    def start() -> None:
        for name, command in commands.items():
            supervisor.start(Part(name=name, command=tuple(command), grace_seconds=grace_seconds))
        terminal.say("started")

    try:
        with claims.sole_run(var_dir):
            return 0 if supervisor.run(start) else 1
    except CannotRunError as error:
        print(error, flush=True)
        return 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), json.loads(sys.argv[2]), float((*sys.argv, "10")[3])))
