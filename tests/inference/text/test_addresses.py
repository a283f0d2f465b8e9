"""Addresses, as they are said."""

import pytest

from .checks import assert_spoken

CASES = [
    (
        "Mail bob_smith99@acme-corp.io or <me@x.io> or mailto:you@y.com.",
        "Mail bob underscore smith ninety-nine at acme dash corp dot io or me at x dot io or you at y dot com.",
    ),
    (
        "See www.example.museum/a-b and acme-corp.com/a-b.",
        "See w w w dot example dot museum slash a dash b and acme dash corp dot com slash a dash b.",
    ),
    ("Bind to ::1 now", "Bind to colon colon one now"),
    ("See www.example.com/path.", "See w w w dot example dot com slash path."),
    (
        "Go to https://docs.example.org/3.11/a_b?x=1&y=2#top, now.",
        "Go to docs dot example dot org slash three dot eleven slash a underscore b question mark x "
        "equals one and y equals two hash top, now.",
    ),
    ("Mail jane.doe+x@example.co.uk!", "Mail jane dot doe plus x at example dot co dot uk!"),
    ("Try example.io/docs (or example.com).", "Try example dot io slash docs, or example dot com."),
    (
        "Ping 192.168.0.1:8080 and 10.0.0.0/8.",
        "Ping one nine two dot one six eight dot zero dot one colon eighty eighty and one zero dot zero "
        "dot zero dot zero slash eight.",
    ),
    (
        "IPv6 2001:db8::1 and 00:1A:2B:3C:4D:5E",
        "IPv six two zero zero one colon D B eight colon colon one and zero zero colon one A colon two B "
        "colon three C colon four D colon five E",
    ),
    (
        "@john_doe likes #MachineLearning and #deal2024, #5.",
        "at john doe likes hashtag Machine Learning and hashtag deal twenty twenty-four, number five.",
    ),
    ("Color #FF5733 at 0x1F4.", "Color hash F F five seven three three at zero x one F four."),
    (
        "Run /usr/local/bin/foo or C:\\temp\\x.",
        "Run slash usr slash local slash bin slash foo or C colon backslash temp backslash x.",
    ),
    (
        "Live in Springfield, IL 62704-1234.",
        "Live in Springfield, Illinois six two seven zero four, one two three four.",
    ),
    ("[the docs](https://example.com/x) are here", "the docs are here"),
    ("Open main.py in Node.js. The end.Next one", "Open main dot py in Node dot js. The end. Next one"),
    (
        "asdf123@abc.com and x.com/123-a",
        "asdf one two three at abc dot com and x dot com slash one two three dash a",
    ),
    (
        "987.987.0.40 and 192.168.0.1",
        "nine eight seven dot nine eight seven dot zero dot four zero and one nine two dot one six "
        "eight dot zero dot one",
    ),
    (
        "order #A-1029, item #B-12, #MachineLearning, order #12",
        "order number A ten twenty-nine, item number B twelve, hashtag Machine Learning, order number twelve",
    ),
    (
        "s3://bucket/key and redis://cache:6379/0",
        "s three colon slash slash bucket slash key and redis colon slash slash cache colon sixty-three "
        "seventy-nine slash zero",
    ),
    ("git@github.com:foo/bar.git", "git at github dot com colon foo slash bar dot git"),
    ("localhost:8080, example.com:443", "localhost colon eighty eighty, example dot com colon four four three"),
    ("Edit ~/.bashrc now", "Edit tilde slash dot bashrc now"),
    ("a&b@x.com", "a ampersand b at x dot com"),
    ("#mytext# and #tag", "hash mytext hash and hashtag tag"),
    ("ID 00423", "ID zero zero four two three"),
    ("See www.example.com.Then go.", "See w w w dot example dot com. Then go."),
    ("see ![img](a.png) and ![](b.png).", "see img and."),
]


@pytest.mark.parametrize(("written", "spoken"), CASES)
def test_addresses(written: str, spoken: str) -> None:
    assert_spoken(written, spoken)
