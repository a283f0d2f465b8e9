from __future__ import annotations

from pathlib import Path

import pytest

from tests.training.commands import run


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("training")
    for stage in ("corpus", "codec", "distill", "export"):
        run(folder, stage)
    return folder
