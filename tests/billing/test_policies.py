"""Nobody pays for nothing, nobody pays twice: each rule."""

from __future__ import annotations

from billing import policies


def test_what_was_delivered_is_billed() -> None:
    assert [policies.ended_midway(ms) for ms in (0, 40, 3_000)] == [0, 40, 3_000]


def test_what_brought_nothing_new_is_free() -> None:
    assert [policies.replayed(ms) for ms in (0, 40, 3_000)] == [0, 0, 0]
