"""Characters and lines, as they are said."""

import pytest

from .checks import assert_spoken

CASES = [
    ("“Quoted”—it’s ‘fine’…", "\"Quoted\" — it's 'fine'…"),
    ("café naïve", "café naïve"),
    ("one\u200btwo \u202ethree\ufeff", "onetwo three"),
    ("tab\there\nand wrapped", "tab here and wrapped"),
    ("First paragraph\n\nSecond paragraph", "First paragraph. Second paragraph"),
    ("Shopping\n- milk\n- 2 eggs\nDone", "Shopping. milk. two eggs. Done"),
    (
        "Jane Roe\n12 Elm St.\nAustin, TX 78701",
        "Jane Roe, twelve Elm Street, Austin, Texas seven eight seven zero one",
    ),
    ("1. First step\n2. Second step", "one, First step. two, Second step"),
    ("Great 🎉! Thanks 👋🏽 all", "Great! Thanks all"),
    ("𝐁𝐨𝐥𝐝 ＦＵＬＬ ﬁne", "Bold FULL fine"),
    ("٣٤٥ and १२ and １２", "three hundred and forty-five and twelve and twelve"),
    ("① then Ⅳ then H₂O", "one then four then H two O"),
    ("Stop!!! Really?!?", "Stop! Really?!"),
    ("Wait.... What", "Wait… What"),
    ("bad \ud800 surrogate", "bad surrogate"),
    ("Привет мир, 日本語", "Привет мир, 日本語"),
    ("¿Qué tal, señor?", "¿Qué tal, señor?"),
    ("It was announced³ today.", "It was announced today."),
    ("\u2028\u2029", ""),
    ("[SPEAKER0] Hello (again).", "SPEAKER zero Hello, again."),
    ("**bold** and `code` and _it_", "bold and code and it"),
    ("word - word -- word", "word — word — word"),
]


@pytest.mark.parametrize(("written", "spoken"), CASES)
def test_characters(written: str, spoken: str) -> None:
    assert_spoken(written, spoken)
