"""No module imports, directly or through others, what imports it. The layers are import-linter's to check."""

from __future__ import annotations

import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[2]


def test_imports_run_in_no_circle() -> None:
    """Imports within functions count; those for the type checker alone do not."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    rooms = settings["tool"]["importlinter"]["root_packages"]
    graph = grimp.build_graph(*rooms, exclude_type_checking_imports=True, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert len(imports) > 300
    TopologicalSorter(imports).prepare()  # raises CycleError, which names the modules
