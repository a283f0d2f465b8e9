"""Who speaks where: ENGINE, HIGGS_CHECKPOINT, and else the best voice that is installed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from django.conf import settings

from config import voice
from tests.live import ROOT

ELSEWHERE = Path("/elsewhere")


def test_our_own_voice_is_the_default() -> None:
    assert settings.ENGINE == voice.MODEL
    assert settings.HIGGS["checkpoint"] == ROOT / "inference" / "checkpoints" / "heart-8m"


@pytest.mark.parametrize("package", voice.NEEDED)
def test_the_preview_speaks_where_a_package_is_missing(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    assert voice.choose(None, None) == (voice.PREVIEW, None)


def test_the_preview_speaks_where_the_checkpoint_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(voice, "OURS", tmp_path / "heart-8m")
    assert voice.choose(None, None) == (voice.PREVIEW, None)


def test_a_checkpoint_goes_before_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    assert voice.choose(None, ELSEWHERE) == (voice.MODEL, ELSEWHERE)
    monkeypatch.setitem(sys.modules, "hibari", None)  # it may not need it; else it says so when it is loaded
    assert voice.choose(None, ELSEWHERE) == (voice.MODEL, ELSEWHERE)


def test_an_engine_goes_before_all() -> None:
    assert voice.choose(voice.PREVIEW, None)[0] == voice.PREVIEW
    assert voice.choose("no.such.Engine", ELSEWHERE) == ("no.such.Engine", ELSEWHERE)
