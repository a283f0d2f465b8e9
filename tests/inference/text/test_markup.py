"""HTML and SSML, as they are said."""

import pytest

from .checks import assert_spoken

CASES = [
    (
        '<speak>Hello <break time="500ms"/> world</speak>',
        "Hello, world",
    ),
    (
        "<b>Sale</b> today",
        "Sale today",
    ),
    (
        "Line<br>break",
        "Line, break",
    ),
    (
        '<a href="https://x.com">click here</a>',
        "click here",
    ),
    (
        "<p>5 &gt; 3</p>",
        "five greater than three",
    ),
    (
        "100&nbsp;km",
        "one hundred kilometers",
    ),
    (
        "it&#39;s fine",
        "it's fine",
    ),
    (
        "<div>One</div><div>Two</div>",
        "One. Two",
    ),
    (
        "<ul><li>One</li><li>Two</li></ul>",
        "One. Two",
    ),
    (
        '<span style="color:red">Red</span>',
        "Red",
    ),
    (
        '<voice name="x">Hi</voice>',
        "Hi",
    ),
    (
        '<prosody rate="slow">Slow</prosody> <emphasis level="strong">now</emphasis>',
        "Slow now",
    ),
    (
        '<say-as interpret-as="date">2026</say-as>',
        "twenty twenty-six",
    ),
    (
        '<say-as interpret-as="characters">ABC1</say-as>',
        "A B C one",
    ),
    (
        "a &lt; b &quot;q&quot; &copy; 2026 &mdash; caf&eacute; Jack&apos;s Acme&trade; well&hellip; &euro;5",
        'a less than b "q" copyright twenty twenty-six — café Jack\'s Acme well… five euros',
    ),
    (
        '<sub alias="World Wide Web Consortium">W3C</sub> says',
        "World Wide Web Consortium says",
    ),
    (
        "Please enter <your name> here. Enter <address> there.",
        "Please enter your name here. Enter address there.",
    ),
    (
        "List<String> and a<b",
        "List String and a less than b",
    ),
    (
        '<script>alert("x")</script>Hi<!-- note --> there',
        "Hi there",
    ),
    (
        "<script>never ended",
        "never ended",
    ),
    (
        "<p>First.</p><p>Second</p>",
        "First. Second",
    ),
    (
        "Tom &amp; Jerry &amp;amp; more",
        "Tom and Jerry and more",
    ),
    (
        "<h1>Title</h1><p>Body text<br/>Next line</p>",
        "Title. Body text, Next line",
    ),
    (
        '<mstts:express-as style="cheerful">Nice</mstts:express-as>',
        "Nice",
    ),
    (
        "<pitch=-.3>123</pitch> <y=3>",
        "one hundred and twenty-three y equals three",
    ),
    (
        'the <say-as interpret-as="ordinal">3</say-as> of <say-as interpret-as="cardinal">12</say-as>',
        "the third of twelve",
    ),
    ('<say-as interpret-as="telephone">5551234</say-as>', "five five five one two three four"),
    ("Tom &amp;amp; Jerry&amp;#39;s &amp;quot;show&amp;quot;", 'Tom and Jerry\'s "show"'),
]


@pytest.mark.parametrize(("written", "spoken"), CASES)
def test_markup(written: str, spoken: str) -> None:
    assert_spoken(written, spoken)
