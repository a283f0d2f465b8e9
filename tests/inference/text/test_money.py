"""Money, as they are said."""

import pytest

from .checks import assert_spoken

CASES = [
    (
        "It cost $3.50, £1.01, €0.99 and $1.",
        "It cost three dollars and fifty cents, one pound and one penny, ninety-nine cents and one dollar.",
    ),
    (
        "Sales of £1.2bn, $5M, €3m and $10k.",
        "Sales of one point two billion pounds, five million dollars, three million euros and ten "
        "thousand dollars.",
    ),
    (
        "It is ¥1,000, ₹500, Rs. 20 and 20 €.",
        "It is one thousand yen, five hundred rupees, twenty rupees and twenty euros.",
    ),
    (
        "USD 5.5 million, 30 GBP, US$5 and C$7.",
        "five point five million US dollars, thirty pounds, five US dollars and seven Canadian dollars.",
    ),
    (
        "$5-10, $5–$10 and $250K–$300K",
        "five to ten dollars, five dollars to ten dollars and two hundred and fifty thousand dollars to "
        "three hundred thousand dollars",
    ),
    ("A $20 bill and a $1.50 fee.", "A twenty dollar bill and a one dollar and fifty cent fee."),
    ("-$5 and $.50", "minus five dollars and fifty cents"),
    ("$20/hr or $5/month", "twenty dollars per hour or five dollars per month"),
    ("50p and 99¢ and 1p", "fifty pence and ninety-nine cents and one penny"),
    ("Just $ and £.", "Just dollars and pounds."),
    (
        "$3bn-a-year, €3bn-plus, $5m-plus",
        "three billion dollars a year, three billion euros plus, five million dollars plus",
    ),
    (
        "a £20k-a-year job; a $2 billion-plus deal",
        "a twenty-thousand-pound-a-year job; a two-billion-dollar-plus deal",
    ),
    (
        "$1.5M deal, $2B valuation, $5 bill",
        "one point five million dollar deal, two billion dollar valuation, five dollar bill",
    ),
    (
        "$2.000, $20.5, $20.500, $0.010, $.506",
        "two dollars, twenty dollars and fifty cents, twenty dollars and fifty cents, one cent, "
        "point five zero six dollars",
    ),
    (
        "$1/d and ¥30 b",
        "one dollar per day and thirty billion yen",
    ),
    (
        "a $100K salary, $1.5M deal",
        "a one hundred thousand dollar salary, one point five million dollar deal",
    ),
    ("R$ 1.250,00 and 5,00 kr", "one thousand two hundred and fifty reais and five kroner"),
    (
        "$1.2bn-worth, a $2bn-valued startup",
        "one point two billion dollars worth, a two-billion-dollar-valued startup",
    ),
    ("a $30k-a-year job", "a thirty-thousand-dollar-a-year job"),
    (
        "$5/mile, $3/ea, $10/person/day",
        "five dollars per mile, three dollars each, ten dollars per person per day",
    ),
    ("The $ sign, paid in $", "The dollar sign, paid in dollars"),
    ("50c, 99c each", "fifty cents, ninety-nine cents each"),
    ("$AAPL rose", "AAPL rose"),
    ("the $ fell against the €, paid in $", "the dollar fell against the euro, paid in dollars"),
    ("a $1.2T market cap", "a one point two trillion dollar market cap"),
    ("Ke$ha, A$AP, test$, $ and 5%", "Kesha, ASAP, test dollar, dollar and five percent"),
]


@pytest.mark.parametrize(("written", "spoken"), CASES)
def test_money(written: str, spoken: str) -> None:
    assert_spoken(written, spoken)
