from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.training.commands import run


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("training")
    for stage in ("corpus", "codec", "distill", "export"):
        run(folder, stage)
    return folder


@pytest.fixture
def one_thread() -> Iterator[None]:
    """As the commands are run: sums are made in the same order."""
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
