from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from inference.engines.higgs.engine import HiggsEngine

MakeEngine = Callable[..., "HiggsEngine"]


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its sentences end by themselves, most after some seconds."""
    return _make(tmp_path_factory, "small", 0.4)


@pytest.fixture(scope="session")
def brief_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its sentences end by themselves within a second or two."""
    return _make(tmp_path_factory, "brief", 0.7)


@pytest.fixture(scope="session")
def endless_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its sentences do not end by themselves."""
    return _make(tmp_path_factory, "endless", 0.0)


def _make(factory: pytest.TempPathFactory, name: str, eos: float) -> Path:
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from tests.engine.checkpoints import make_checkpoint

    folder = factory.mktemp("higgs") / name
    make_checkpoint(folder, eos=eos)
    return folder


@pytest.fixture
def make_engine(checkpoint: Path) -> Iterator[MakeEngine]:
    """Make engines, closed at the test's end; `policy` members and other options by name.

    They compute in float32, on every machine the same, unless a test asks for something else.
    """
    from inference.engines.higgs.engine import HiggsEngine, Options
    from inference.engines.higgs.scheduler import Policy

    engines = []

    def make(folder: Path = checkpoint, **options: Any) -> HiggsEngine:
        policy = {name: options.pop(name) for name in ("prefill_tokens", "pace_seconds") if name in options}
        engines.append(
            HiggsEngine(folder, Options(**{"slots": 4, "dtype": "float32", **options}, policy=Policy(**policy)))
        )
        return engines[-1]

    yield make
    for engine in engines:
        engine.close()


@pytest.fixture(scope="session")
def engine(checkpoint: Path) -> Iterator[HiggsEngine]:
    """One engine of 8 slots for all who change nothing in it."""
    from inference.engines.higgs.engine import HiggsEngine, Options

    engine = HiggsEngine(checkpoint, Options(slots=8, dtype="float32"))
    yield engine
    engine.close()
