"""Codes and telephone numbers, as they are said."""

import pytest

from .checks import assert_spoken

CASES = [
    ("Build 10.4.2 is out", "Build ten point four point two is out"),
    (
        "Call (555) 123-4567 or 555-0123.",
        "Call five five five, one two three, four five six seven or five five five, zero one two three.",
    ),
    (
        "Call +44 20 7946 0958 or 020 7946 0958.",
        "Call plus four four, two zero, seven nine four six, zero nine five eight or zero two zero, seven"
        " nine four six, zero nine five eight.",
    ),
    (
        "1-800-555-0199 ext. 204",
        "one, eight zero zero, five five five, zero one nine nine extension two zero four",
    ),
    ("Between 800-1200 calories", "Between eight hundred to one thousand two hundred calories"),
    (
        "Card 4111 1111 1111 1111, SSN 123-45-6789.",
        "Card four one one one, one one one one, one one one one, one one one one, SSN one two three, "
        "four five, six seven eight nine.",
    ),
    ("Call 911. PIN 4821.", "Call nine one one. PIN four eight two one."),
    (
        "Error 404 on port 8080, flight 747.",
        "Error four oh four on port eighty eighty, flight seven forty-seven.",
    ),
    (
        "v2.5, version 1.2.3 and Python 3.11.",
        "version two point five, version one point two point three and Python three point eleven.",
    ),
    (
        "MP3, A380, H2O, 4K, GPT-4 and COVID-19.",
        "MP three, A three eighty, H two O, four K, GPT four and COVID nineteen.",
    ),
    (
        "An RTX 4090, model XK-4429-B, at 221B Baker St.",
        "An RTX forty ninety, model XK forty-four twenty-nine B, at two twenty-one B Baker Street.",
    ),
    ("Commit a1b2c3d4 and R2D2.", "Commit A one B two C three D four and R two D two."),
    (
        "id 550e8400-e29b-41d4-a716-446655440000",
        "id five five zero E eight four zero zero, E two nine B, four one D four, A seven one six, four "
        "four six six five five four four zero zero zero zero",
    ),
    (
        "5M users, 10k likes, 2.3B views, 7B people.",
        "five million users, ten thousand likes, two point three billion views, seven billion people.",
    ),
    ("It is 3x faster.", "It is three times faster."),
    (
        "a V8 engine, V6 turbo, a V12, V2 rocket, v8 juice, V2.5, v2",
        "a V eight engine, V six turbo, a V twelve, V two rocket, V eight juice, version two "
        "point five, version two",
    ),
    (
        "a 401k plan, 401(k), 403(b), 501(c)(3)",
        "a four oh one k plan, four oh one k, four oh three b, five oh one c three",
    ),
    (
        "5k run, 10k race, 10K",
        "five K run, ten K race, ten K",
    ),
    (
        "H.264, H.265, 802.11ac, PM2.5",
        "H two sixty-four, H two sixty-five, eight oh two point eleven A C, PM two point five",
    ),
    (
        "Boeing 747/737/787, Airbus 320, Peugeot 208, Levi's 501, Porsche 911",
        "Boeing seven forty-seven seven thirty-seven seven eighty-seven, Airbus three twenty, "
        "Peugeot two oh eight, Levi's five oh one, Porsche nine eleven",
    ),
    (
        "1-800-FLOWERS, 1-800-GOT-JUNK, 555-CALL",
        "one eight hundred flowers, one eight hundred got junk, five five five call",
    ),
    (
        "(020) 7946 0958",
        "zero two zero, seven nine four six, zero nine five eight",
    ),
    (
        "06 12 34 56 78; IBAN DE89 3704 0044 0532 0130 00; EIN 12-3456789; ISSN 1234-5678",
        "zero six, one two, three four, five six, seven eight; IBAN D E eight nine, three seven "
        "zero four, zero zero four four, zero five three two, zero one three zero, zero zero; "
        "EIN one two, three four five six seven eight nine; ISSN one two three four, five six "
        "seven eight",
    ),
    (
        "(123) 123-5678 or (123)-123-5678",
        "one two three, one two three, five six seven eight or one two three, one two three, five six seven eight",
    ),
    (
        "a card ending in 8876, your otp is ab9453, PIN 1234",
        "a card ending in eight eight seven six, your otp is ab nine four five three, PIN one two three four",
    ),
    (
        "serial 1-413-te-b-1-5, an 8-year-old, a 12-month-old",
        "serial one-four one three-te-b-one-five, an eight-year-old, a twelve-month-old",
    ),
    (
        "a 404 page, the 500 error, 450 pages, 404 errors",
        "a four oh four page, the five hundred error, four hundred and fifty pages, four hundred and four errors",
    ),
    (
        "100K views, 2.5K followers, a 4K video, 10K runs",
        "one hundred thousand views, two point five thousand followers, a four K video, ten K runs",
    ),
    (
        "a 450 page book, a 404 page report, a 503 response",
        "a four hundred and fifty page book, a four hundred and four page report, a five oh three response",
    ),
    ("1-877-KARS-4-KIDS", "one eight seventy-seven kars four kids"),
    ("B-52s, F-16s and MP3s", "B fifty-twos, F sixteens and MP threes"),
    (
        "order 12345678, Invoice no. 100234, user ID 48213",
        "order one two three four five six seven eight, Invoice number one zero zero two three four, user ID "
        "four eight two one three",
    ),
    ("order 10000 units", "order ten thousand units"),
    ("card ending 1111", "card ending one one one one"),
    (
        "123/261788/2021",
        "one hundred and twenty-three slash two six one seven eight eight slash twenty twenty-one",
    ),
    ("100K+ users", "one hundred thousand plus users"),
    ("Windows 10/11", "Windows ten, eleven"),
    ("Boeing 737-800", "Boeing seven thirty-seven eight hundred"),
    ("a 529 plan", "a five twenty-nine plan"),
    ("8k video, Boeing 747-8, 737 MAX", "eight K video, Boeing seven forty-seven eight, seven thirty-seven MAX"),
    (
        "My OTP is 55 21 09, code: 123-456",
        "My OTP is five five, two one, zero nine, code: one two three, four five six",
    ),
    ("Table 4-1, tables 4-6", "Table four dash one, tables four to six"),
    (
        "10k-plus users, G.711, 802.15.4",
        "ten thousand-plus users, G seven eleven, eight oh two point fifteen point four",
    ),
    (
        "Boeing 707s, 737 crash, 06-12345678",
        "Boeing seven oh sevens, seven thirty-seven crash, zero six, one two three four five six seven eight",
    ),
]


@pytest.mark.parametrize(("written", "spoken"), CASES)
def test_codes(written: str, spoken: str) -> None:
    assert_spoken(written, spoken)
