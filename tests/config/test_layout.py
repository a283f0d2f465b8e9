"""`platform/` is a source root beside the standard library's module, and the wheel holds all that is in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.live import ROOT

PACKAGES = {
    **dict.fromkeys(
        ("accounts", "config", "console", "gateway", "launch", "operations", "status", "usage", "webhooks"),
        ROOT / "platform",
    ),
    **dict.fromkeys(("billing", "inference"), ROOT),
}
"""Each package and the source root that it is in."""


def test_platform_is_the_standard_librarys() -> None:
    command = [sys.executable, "-c", "import platform; print(platform.__file__, platform.system())"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert not printed.startswith(str(ROOT / "platform"))
    assert not (ROOT / "platform" / "__init__.py").exists()


def test_every_package_is_listed_here() -> None:
    found = {
        folder.name: root
        for root in (ROOT / "platform", ROOT)
        for folder in root.iterdir()
        if (folder / "__init__.py").exists() and folder.name != "tests"
    }
    assert found == PACKAGES


def test_the_wheel_holds_every_file_of_every_package(tmp_path: Path) -> None:
    source = tmp_path / "source"
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    for name, root in PACKAGES.items():
        target = source / root.relative_to(ROOT) / name
        shutil.copytree(root / name, target, ignore=ignored)
    for name in ("pyproject.toml", "LICENSE", "NOTICE", "README.md"):
        shutil.copy(ROOT / name, source)
    built = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(source)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr[-2000:]
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    expected = {
        path.relative_to(root).as_posix()
        for name, root in PACKAGES.items()
        for path in (root / name).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert packed == expected
    assert any(name.endswith(".html") for name in packed)
    assert any("/migrations/" in name for name in packed)
    assert "launch/management/commands/run.py" in packed


def test_the_image_is_given_every_file_that_it_copies() -> None:
    """.dockerignore leaves everything out but what it lists with a `!`."""
    given = {
        line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines() if line[0] == "!"
    }
    copies = [line.split()[1:-1] for line in (ROOT / "Dockerfile").read_text().splitlines() if line[:5] == "COPY "]
    named = {name for names in copies if not names[0].startswith("--") for name in names} - {"."}
    assert "pyproject.toml" in named
    assert named <= given
    assert all((ROOT / name).exists() for name in given)


def test_the_web_side_needs_nothing_of_audio() -> None:
    heavy = ("av", "hibari", "num2words", "numba", "numpy", "onnxruntime", "tokenizers", "torch")
    program = f"import config.asgi, sys; print([name for name in {heavy} if name in sys.modules])"
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'platform'}:{ROOT}"}
    printed = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    ).stdout
    assert printed == "[]\n"
