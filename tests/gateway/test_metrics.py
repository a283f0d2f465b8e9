"""What the last proof of the books found is on /metrics."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.live import Service, wait_for


def proved(page: str) -> str:
    """The page, once it tells of a proof."""
    found = re.search(r"^speech_ledger_verified_timestamp_seconds ([0-9.e+]+)$", page, re.MULTILINE)
    return page if found and float(found[1]) else ""


@pytest.mark.usefixtures("committed")
def test_the_drift_is_published(service: Service) -> None:
    from billing.tasks import verify_ledger

    verify_ledger.delay()
    text = wait_for(
        lambda: proved(httpx.get(f"{service.url}/metrics").text),
        what="the worker proves the books",
    )
    assert "speech_ledger_drift_dollars 0.0" in text
    assert "speech_ledger_offenders 0.0" in text
