"""Nobody pays for nothing, nobody pays twice: each rule, and who applies it."""

from __future__ import annotations

import pytest

from billing import policies
from gateway.speech.settlement import policy_of
from inference.models import SynthesisJob


@pytest.mark.parametrize("rule", [policies.completed, policies.cut_at_limit, policies.ended_midway])
def test_what_was_generated_is_billed(rule: object) -> None:
    assert [rule(ms) for ms in (0, 40, 3_000)] == [0, 40, 3_000]  # type: ignore[operator]


@pytest.mark.parametrize("rule", [policies.replayed])
def test_what_brought_nothing_new_is_free(rule: object) -> None:
    assert [rule(ms) for ms in (0, 40, 3_000)] == [0, 0, 0]  # type: ignore[operator]


@pytest.mark.parametrize(
    ("state", "reason", "policy"),
    [
        ("succeeded", "stop", policies.completed),
        ("succeeded", "length", policies.cut_at_limit),
        ("cancelled", "", policies.ended_midway),
        ("failed", "", policies.ended_midway),
        ("expired", "", policies.ended_midway),
    ],
)
def test_each_end_has_its_policy(state: str, reason: str, policy: object) -> None:
    assert policy_of(SynthesisJob(state=state, finish_reason=reason)) is policy
