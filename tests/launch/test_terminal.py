"""What is shown: colours only where they are wanted, whole lines, every stream."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from launch import terminal
from launch.terminal import Terminal


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(tmp_path: Path, stream: io.StringIO, environment: dict[str, str]) -> str:
    Terminal(["part"], stream, tmp_path, environment).show("part", "words")
    return stream.getvalue()


def test_colour_is_for_screens_that_want_it(tmp_path: Path) -> None:
    assert shown(tmp_path, Screen(), {}) == "\x1b[36mpart │\x1b[0m words\n"
    assert shown(tmp_path, Screen(), {"NO_COLOR": "1"}) == "part │ words\n"
    assert shown(tmp_path, Screen(), {"TERM": "dumb"}) == "part │ words\n"
    assert shown(tmp_path, io.StringIO(), {}) == "part │ words\n"


def test_a_stream_of_few_letters_shows_what_it_can(tmp_path: Path) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    Terminal(["part"], stream, tmp_path).show("part", "ü")
    stream.seek(0)
    assert stream.read() == "part ? ?\n"


def test_a_long_log_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "MAX_LOG_BYTES", 3)
    shown(tmp_path, io.StringIO(), {})
    shown(tmp_path, io.StringIO(), {})
    assert (tmp_path / "part.log").read_text() == "words\n"
    assert (tmp_path / "part.log.1").read_text() == "words\n"


def test_what_is_to_be_copied_goes_to_no_file(tmp_path: Path) -> None:
    stream = io.StringIO()
    Terminal(["part"], stream, tmp_path).say_block("sk-secret")
    assert "sk-secret" in stream.getvalue()
    assert all("sk-secret" not in log.read_text() for log in tmp_path.iterdir())
