"""Signs that are words, as they are said."""

import pytest

from .checks import assert_spoken

CASES = [
    ("x^n", "x to the power of n"),
    ("c³ + 1", "c cubed plus one"),
    ("a - b = c", "a minus b equals c"),
    ("a -> b => c", "a, b, c"),
    ("Paris–London – now", "Paris-London — now"),
    ("x <= y, y >= z, a < b, c > d", "x is at most y, y is at least z, a less than b, c greater than d"),
    ("5! = 120 and 5−3, −x", "five! equals one hundred and twenty and five minus three, minus x"),
    ("In °C, the ° and % signs", "In degrees Celsius, the degrees and percent signs"),
    ("a × b", "a times b"),
    ("<5 ms but >10 s", "less than five milliseconds but greater than ten seconds"),
    ("100% of 5 + 3", "one hundred percent of five plus three"),
    ("2+2=4 and 10 - 5 = 5.", "two plus two equals four and ten minus five equals five."),
    (
        "x² + y³ = 10, 2^10 and x^n.",
        "x squared plus y cubed equals ten, two to the power of ten and x to the power of n.",
    ),
    (
        "6.02×10²³ and 1e-9",
        "six point zero two times ten to the power of twenty-three and one times ten to the power of minus nine",
    ),
    (
        "7 × 8 = 56, 10 / 2 = 5 and 2*3.",
        "seven times eight equals fifty-six, ten divided by two equals five and two times three.",
    ),
    ("Salt & pepper from AT&T.", "Salt and pepper from AT and T."),
    ("C++ and C#", "C plus plus and C sharp"),
    (
        "x > 5, 2 < 4, ~10, 5 ≥ 3 and a != b.",
        "x greater than five, two less than four, about ten, five is at least three and a is not equal to b.",
    ),
    ("50% + tax = more", "fifty percent plus tax equals more"),
    ("Settings > General → About", "Settings, General, About"),
    ("input/output", "input slash output"),
    ("user @ home", "user at home"),
    ("f(x) = 3x - 2", "f of x equals three x minus two"),
    ("±5 and √16", "plus or minus five and square root of sixteen"),
    ("run --verbose -v", "run dash dash verbose dash v"),
    ("A–Z", "A to Z"),
    ("a | b", "a, b"),
    ("10+ years", "ten plus years"),
    (".NET and 3.", "dot NET and three."),
    (
        "Hello there.General. It works.Great! I agree.However, not fully. See you.Bye. "
        "Wait.What? The end.OK? One.Two.Three.",
        "Hello there. General. It works. Great! I agree. However, not fully. See you. Bye. Wait. "
        "What? The end. OK? One. Two. Three.",
    ),
    (
        "Done.Next, we go on. a.b.c Here is mail.nasa.gov. here (4 June 2014).and",
        "Done. Next, we go on. a dot b dot c Here is mail dot nasa dot gov. here, the fourth of "
        "June, twenty fourteen. and",
    ),
    (
        "I/O TCP/IP CI/CD AC/DC A/B test yes/no on/off client/server",
        "I O TCP IP CI CD AC DC A B test yes or no on off client slash server",
    ),
    (
        "Σx, Δt, 2πr, 5 Å",
        "sum of x, delta t, two pi r, five angstroms",
    ),
    (
        "code 3E6, unit 5e3, room 2E3, order 7e4",
        "code three E six, unit five E three, room two E three, order seven E four",
    ),
    (
        "1e6, The rate is 1e-5. 6.02e23. 3e8.",
        "one times ten to the power of six, The rate is one times ten to the power of minus "
        "five. six point zero two times ten to the power of twenty-three. three times ten to the "
        "power of eight.",
    ),
    (
        "@12, 12@ and a#b",
        "at twelve, twelve at and a hash b",
    ),
    ("a<b && c>d", "a less than b and c greater than d"),
    ("Σ of x", "sum of x"),
    ("upgrade / update", "upgrade, update"),
    ("PS/2", "PS two"),
    ('She said "yes."Then left.', 'She said "yes." Then left.'),
    ("It was 5pm.Then we left.", "It was five PM. Then we left."),
    (
        "-1e-3 to 1e5–1e6",
        "minus one times ten to the power of minus three to one times ten to the power of "
        "five to one times ten to the power of six",
    ),
    ("if a<b and c>d then", "if a less than b and c greater than d then"),
    ("I <3 you, but x <3", "I love you, but x less than three"),
    ("OK.Let's go. VB.Net", "OK. Let's go. VB dot Net"),
    ("√ of 16, HTTP/2", "square root of sixteen, HTTP two"),
    ("7 days/week, 5 requests/second", "seven days per week, five requests per second"),
    ("It's 5%.The end. Hi.I am.", "It's five percent. The end. Hi. I am."),
    ("5 min read · Nov 5", "five minute read, November fifth"),
    ("$x^2$, 10^{3}, x^{n}, $5 and $6", "x squared, ten cubed, x to the power of n, five dollars and six dollars"),
]


@pytest.mark.parametrize(("written", "spoken"), CASES)
def test_symbols(written: str, spoken: str) -> None:
    assert_spoken(written, spoken)
