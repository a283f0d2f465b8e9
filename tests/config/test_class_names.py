"""Two classes of one name are told apart only by their imports: each public class has a name of its own."""

from __future__ import annotations

import ast
from collections import defaultdict

from tests.config.test_layout import PACKAGES

IDIOMS = {"Command"}
"""Names that Django looks for."""
SCHEMAS = {"gateway/reference/answers.py", "gateway/reference/usage.py"}
"""Their classes' names are those of the schemas in the API document, which customers read."""
LAYERS = {"AcousticDecoder", "Attention", "Encoder", "FeedForward", "Layer", "Quantizer"}
"""Each network has its own, by the literature's name; `Encoder` is one of audio formats, too."""
KNOWN = {
    "Codec",
    "Day",
    "Figure",
    "Kind",
    "Member",
    "Movement",
    "Operation",
    "Piece",
    "Refused",
    "Rendering",
    "Report",
    "Row",
    "State",
    "Usage",
    "Utterance",
    "Voice",
}
"""Defined twice today. A name that gets its own leaves this list; none is added."""


def test_no_two_public_classes_have_one_name() -> None:
    places: defaultdict[str, list[str]] = defaultdict(list)
    for package, source in PACKAGES.items():
        for file in (source / package).rglob("*.py"):
            path = file.relative_to(source).as_posix()
            if "migrations" in file.parts or path in SCHEMAS:
                continue
            for node in ast.parse(file.read_text()).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    places[node.name].append(path)
    twice = {name: paths for name, paths in places.items() if len(paths) > 1 and name not in IDIOMS | LAYERS}
    assert {name: twice[name] for name in twice.keys() - KNOWN} == {}
    assert twice.keys() >= KNOWN, "delete from KNOWN what has a name of its own now"
