"""Every regular expression of the service, found in its modules, and inputs that are hostile to each."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

PACKAGES = (
    *("accounts", "console", "gateway", "inference.speech", "inference.engines.preview", "operations", "status"),
    "usage",
)
WINDOWS = {
    "_HOUSE_OR_ORDINAL": 40,
    "_NAME_BEFORE": 40,
    "_BEFORE_INITIAL": 20,
    "_RATIO": 24,
    "_YEAR_WORDS": 12,
    "_LAST_WORD": 16,
    "_NAMED": 12,
}
"""The characters that those who search with these ever show them."""

_INLINE = frozenset({"search", "match", "fullmatch", "split", "findall", "finditer", "sub", "subn"})


@dataclass(frozen=True, slots=True)
class Found:
    """An expression, where it is, and whether it is only ever tried at one place of a text."""

    module: str
    where: str
    pattern: re.Pattern[str]
    anchored: bool
    window: int | None = None

    def run(self, text: str) -> None:
        if self.anchored:
            self.pattern.match(text)
        else:
            for _ in self.pattern.finditer(text):
                pass


def modules() -> list[ModuleType]:
    found = []
    for name in PACKAGES:
        package = importlib.import_module(name)
        found.append(package)
        names = (module.name for module in pkgutil.walk_packages(package.__path__, f"{name}."))
        found += [importlib.import_module(name) for name in names if ".migrations" not in name]
    return found


def every_pattern() -> list[Found]:
    """Those that stand in a module's names and tables, and those that a function compiles as it goes."""
    sources = {module: Path(str(module.__file__)).read_text() for module in modules()}
    found: dict[re.Pattern[str], Found] = {}
    for module, source in sources.items():
        for name, value in vars(module).items():
            methods = set(re.findall(rf"\b{name}\.([a-z]+)\(", source))
            anchored = bool(methods) and methods <= {"match", "fullmatch"}
            for pattern in _within(value):
                found.setdefault(pattern, Found(module.__name__, name, pattern, anchored, WINDOWS.get(name)))
        for pattern, method, line in _inline(source):
            anchored = method in ("match", "fullmatch")
            found.setdefault(pattern, Found(module.__name__, f"line {line}", pattern, anchored))
    return list(found.values())


def _within(value: object, depth: int = 0) -> Iterator[re.Pattern[str]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict):
        yield from _within(list(value.items()), depth)
    elif isinstance(value, list | tuple | set | frozenset) and depth < 5:
        for each in value:
            yield from _within(each, depth + 1)


def _inline(source: str) -> Iterator[tuple[re.Pattern[str], str, int]]:
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="re"), attr=method),
                args=[ast.Constant(value=str(written)), *_],
            ) if method in _INLINE:
                yield re.compile(written), method, node.lineno


# What people and machines repeat, whatever the expression.
_COMMON = " \n\t01aAé.,;:!?'\"()[]{}<>@-–—/\\#$%&*+=_~^|。"


def hostile(pattern: re.Pattern[str], length: int) -> Iterator[tuple[str, str]]:
    """(what it is, a text of that length): runs of one character and of two, and mixtures of the expression's own
    words and signs, with and without an end that does not fit. The same ones each time."""
    signs = list(dict.fromkeys([*_COMMON, *(c for c in pattern.pattern if not c.isalnum())]))
    words = list(dict.fromkeys(re.findall(r"[A-Za-z]{2,}|\d+", pattern.pattern)))[:12]
    few = signs[:16]
    chosen = random.Random(pattern.pattern)
    pool = [*signs, *words, "10", "a.", "1,000", " a"]
    units = [*signs, *words, *(a + b for a in few for b in few if a != b)]
    units += ["".join(chosen.choices(pool, k=chosen.randint(2, 5))) for _ in range(40)]
    for unit in units:
        yield repr(unit), (unit * (length // len(unit) + 1))[:length]
    for _ in range(40):
        start, run, end = "".join(chosen.choices(pool, k=2)), chosen.choice(signs), chosen.choice(pool)
        yield f"{start!r} + {run!r}… + {end!r}", start + run * (length - len(start) - len(end)) + end
