"""Every benchmark runs from end to end. With a budget this small its figures mean nothing."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.benchmarks import litellm_proxy
from tests.clients import environments
from tests.live import ROOT

# Those that begin in seconds: the others start many processes, large networks, or rows by the hundred thousand.
OURS = ("wire", "streams", "cancels", "invoices", "verification", "billing", "dashboard")


def test_ours() -> None:
    output = _run(*OURS)
    for name in OURS:
        assert f"# {name}\n" in output
    assert "granian" in output


def test_the_console_alone_makes_the_rows_that_it_reads() -> None:
    assert "overview" in _run("console")


@pytest.mark.skipif(
    not environments.is_made(*litellm_proxy.REQUIREMENTS),
    reason="LiteLLM's proxy takes minutes to install; `make bench ARGS=litellm_proxy` does so once",
)
def test_litellms_proxy() -> None:
    assert "ours" in _run("litellm_proxy")


def test_an_unknown_one_is_named() -> None:
    done = _start("wires", budget="1")
    assert done.returncode == 2
    assert "wires" in done.stderr


@pytest.mark.parametrize("budget", ["0", "2", "half"])
def test_a_budget_is_a_part_of_the_whole(budget: str) -> None:
    done = _start(budget=budget)
    assert done.returncode == 1
    assert f"BENCH_BUDGET: a number above 0 and up to 1, not {budget}" in done.stderr


def _run(*names: str) -> str:
    done = _start(*names, budget="0.001")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


def _start(*names: str, budget: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", *names],
        cwd=ROOT,
        env={**os.environ, "BENCH_BUDGET": budget, "PYTHONPATH": f"{ROOT / 'platform'}:{ROOT}"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
