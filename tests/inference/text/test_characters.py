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
    (
        "5℃ 98℉ −5℃ 68℉ inside 23℃ today",
        "five degrees Celsius ninety-eight degrees Fahrenheit minus five degrees Celsius "
        "sixty-eight degrees Fahrenheit inside twenty-three degrees Celsius today",
    ),
    (
        "1º piso, Nº 5, nº 12, N.º 3, 2ª planta",
        "first piso, number five, number twelve, number three, second planta",
    ),
    (
        "Κόσμε μήνυμα 5 μm",
        "Κόσμε μήνυμα five micrometers",
    ),
    (
        "5★ and 4.5★ and a 5★ hotel",
        "five stars and four point five stars and a five-star hotel",
    ),
    (
        "Na⁺ Ca²⁺ Fe³⁺ SO₄²⁻ 10⁻³ x²",
        "Na plus Ca two plus Fe three plus SO four two minus ten to the power of minus three x squared",
    ),
    (
        "ʜᴇʟʟᴏ ℡ 555-1234 C♯",
        "hello telephone five five five, one two three four C sharp",
    ),
    (
        "Hello\\nWorld. Item:\\t5 done",
        "Hello, World. Item: five done",
    ),
    (
        "∀x ∈ A, ∆x",
        "for all x in A, delta x",
    ),
    (
        "1²1² and 10²5",
        "one squared one squared and ten squared five",
    ),
    ("¶ 3, ∼5", "paragraph three, about five"),
    ("a 4.5★ app", "a four point five-star app"),
    ("line1\\nline2", "line one line two"),
    ('Tab\\there\\nnow, \\"hi\\" and', 'Tab here now, "hi" and'),
    ("src\\test", "src test"),
    ("2.º and 3.ª, §§ 5–7", "second and third, sections five to seven"),
    ("caf\\u00e9 now", "café now"),
    (
        "1. Buy milk - two litres\n2) x + y\n3. **Eggs** and > ten",
        "one, Buy milk — two litres. two, x plus y. three, Eggs and greater than ten",
    ),
]


@pytest.mark.parametrize(("written", "spoken"), CASES)
def test_characters(written: str, spoken: str) -> None:
    assert_spoken(written, spoken)
