"""Abbreviations, as they are said."""

import pytest

from .checks import assert_spoken

CASES = [
    ("We met on Park Ave", "We met on Park Avenue"),
    ("\u017f/he", "\u017f slash he"),
    ("We left at 9 a.m. Lee stayed for the a.m. shift.", "We left at nine AM. Lee stayed for the AM shift."),
    ("Sen. Warren, Mr. de Vries", "Senator Warren, Mister de Vries"),
    ("E.g. this one", "For example this one"),
    ("Sat on Mt. Etna", "Sat on Mount Etna"),
    (
        "Dr. Smith, Mr. Jones, Mrs. Roe, Prof. X and St. Paul met.",
        "Doctor Smith, Mister Jones, Missus Roe, Professor X and Saint Paul met.",
    ),
    ("Dr Smith and Mr Jones", "Doctor Smith and Mister Jones"),
    (
        "He lives on Main St. The house on Elm Dr. is old.",
        "He lives on Main Street. The house on Elm Drive is old.",
    ),
    (
        "12 Oak St. Apt. 4B, 5th Ave. and Sunset Blvd.",
        "twelve Oak Street Apartment four B, fifth Avenue and Sunset Boulevard.",
    ),
    (
        "Fruit, e.g. apples, i.e. food, etc. are here.",
        "Fruit, for example apples, that is food, et cetera are here.",
    ),
    ("We sell tea, etc. We ship.", "We sell tea, et cetera. We ship."),
    (
        "No. 5, p. 7, pp. 12-15, fig. 3 and vol. 2.",
        "number five, page seven, pages twelve to fifteen, figure three and volume two.",
    ),
    ("Cats vs. dogs vs mice, approx. ten.", "Cats versus dogs versus mice, approximately ten."),
    ("The dept. of Acme Inc. grew.", "The department of Acme Incorporated grew."),
    ("The U.S. Senate, the U.K., NASA and a Ph.D. student.", "The US Senate, the UK, NASA and a PhD student."),
    ("He lives in the U.S. The end.", "He lives in the US. The end."),
    ("J. R. R. Tolkien and George W. Bush", "J R R Tolkien and George W Bush"),
    ("Take vitamin C. It helps.", "Take vitamin C. It helps."),
    ("Tea w/ milk and/or w/o sugar, he/she said.", "Tea with milk and or without sugar, he or she said."),
    ("Smith et al. (2019)", "Smith and others, twenty nineteen"),
    ("John Doe Jr. ran.", "John Doe Junior ran."),
    (
        "I said no. 5 people came.",
        "I said no. five people came.",
    ),
    (
        "Please reply yes or no. 2 options.",
        "Please reply yes or no. two options.",
    ),
    (
        "Do you agree? No. 12 of us left.",
        "Do you agree? No. twelve of us left.",
    ),
    (
        "Is it ready? No. 7 items remain.",
        "Is it ready? No. seven items remain.",
    ),
    (
        "Absolutely no. 1 is enough.",
        "Absolutely no. one is enough.",
    ),
    (
        "The answer is no. 2 reasons follow. He said no. 100 people cheered.",
        "The answer is no. two reasons follow. He said no. one hundred people cheered.",
    ),
    (
        "She is no. 5 in the world. No. 2 pencils. Use no. 2 pencils. Which bus? No. 5.",
        "She is number five in the world. number two pencils. Use number two pencils. Which bus? number five.",
    ),
    (
        "I ate a fig. 3 more are left. See fig. 3.",
        "I ate a fig. three more are left. See figure three.",
    ),
    (
        "He hit the max. 5 people saw it. a high temp. 5 days. max. 5 people",
        "He hit the max. five people saw it. a high temp. five days. maximum five people",
    ),
    (
        "My est. 5 hours, est. 1985",
        "My estimated five hours, established nineteen eighty-five",
    ),
    (
        "W/L ratio, B/C ratio, C/O ratio, w/ milk, W/ milk, b/c",
        "W L ratio, B C ratio, C O ratio, with milk, with milk, because",
    ),
    (
        "ext. 5, ver. 3, chap. 4, para. 5, Vols. 2, Secs. 3",
        "extension five, version three, chapter four, paragraph five, volumes two, sections three",
    ),
    (
        "Sts. Peter and Paul, Drs. Smith, Messrs. Lee, Rt. Hon. Smith, on Sunset Blvd. alone, "
        "19th c., b. 1950, 25c, 99c.",
        "Saints Peter and Paul, Doctors Smith, Messieurs Lee, Right Honorable Smith, on Sunset "
        "Boulevard alone, nineteenth century, born nineteen fifty, twenty-five cents, "
        "ninety-nine cents.",
    ),
    ("The reply was no. 9 men left.", "The reply was no. nine men left."),
    ("the Gov. spends; Gov. Smith spends", "the Government spends; Governor Smith spends"),
    ("e.g.this or i.e.that", "for example this or that is that"),
    ("U.S.government, U.K.based", "US government, UK based"),
    ("9 a.m.or 5 p.m.", "nine AM or five PM."),
    ("Section no. 4 says so. Bus no. 7 is late.", "Section number four says so. Bus number seven is late."),
    ("It's a no. 5 of us disagreed.", "It's a no. five of us disagreed."),
    (
        "He is the No. 1 of them, by section No. 12 of the act.",
        "He is the number one of them, by section number twelve of the act.",
    ),
    ("no. 3 of 5", "number three of five"),
    ("It is big.U.K. too.", "It is big. UK too."),
    (
        "Pg. 5, Par. 3, the 2nd ed. of it, Est. 1990, Rt. Rev. John",
        "page five, paragraph three, the second edition of it, Established nineteen ninety, Right Reverend John",
    ),
    ("Option no. 2 is best.", "Option number two is best."),
    (
        "min. 5 chars (min. 8), wait 5 min. 10 came",
        "minimum five chars, minimum eight, wait five minutes ten came",
    ),
    ("true/false, he/him, a/k/a", "true or false, he him, also known as"),
    ("3 a.m.We left. The U.S.The law.", "three AM. We left. The US. The law."),
    (
        "est. in 1990, c. 5th century, Ref. No. 4",
        "established in nineteen ninety, circa fifth century, Reference number four",
    ),
    ("see art. 6 GDPR, modern art. 5 pieces", "see article six GDPR, modern art. five pieces"),
    (
        "Roe v. Wade, Rev. A, rev. 2.1, the Rev. A. Smith",
        "Roe versus Wade, Revision A, revision two point one, the Reverend A Smith",
    ),
    ("Mme. Curie met Adm. Lee at St. Mary's St.", "Madame Curie met Admiral Lee at Saint Mary's Street."),
    ("sec. 2, 10 sec. 5 times, Amt. due", "section two, ten seconds five times, Amount due"),
    (
        "Mrs. J. R. Smith on the 3rd fl. saw 2% y/y. Temp. dropped.",
        "Missus J R Smith on the third floor saw two percent year over year. Temperature dropped.",
    ),
    (
        "no. 2, no. 3 and no. 4; yes and no. 5 left",
        "number two, number three and number four; yes and no. five left",
    ),
    (
        '"Is it far?" "No. 10 minutes." Nope. No. 3 dogs are enough.',
        '"Is it far?" "No. ten minutes." Nope. No. three dogs are enough.',
    ),
    (
        "vol. II, ch. IV, ed. by Smith, VAT no. GB12",
        "volume two, chapter four, edited by Smith, VAT number GB twelve",
    ),
]


@pytest.mark.parametrize(("written", "spoken"), CASES)
def test_abbreviations(written: str, spoken: str) -> None:
    assert_spoken(written, spoken)
