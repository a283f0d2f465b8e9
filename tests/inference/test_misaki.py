"""IPA as dictionaries write it, in the alphabet that the networks here have heard."""

from __future__ import annotations

import pytest

pytest.importorskip("hibari", reason="the pronunciations are an extra: pip install -e .[voice]")

from hibari.g2p import G2P

from inference.speech.misaki import in_misaki

LETTERS = "pbtdʈɖcɟkɡqɢʔmɱnɳɲŋɴʀrɾɽɸβfvθðszʃʒʂʐçʝxɣχʁħhɦɬʋɹɻjɰlɭʎʍwɥɕʑiyɨʉɯuɪʏʊeøɘɵɤoəɛœɜɞʌɔæɐaɑɒɚɝɫ"
"""Of the IPA's chart: all but the clicks, the implosives and what is spoken in no larger language."""


HEARD = set("ˈˌəɹnsɪltkidmpɛæɑbzŋʌOfIATɡvᵊɔʃuwʤᵻhɜʧjWθʊYðʒʔ")
"""The signs of hibari's American lexicon."""
WORDS = {
    "həˈloʊ": "hello",
    "pəˈteɪɾoʊ": "potato",
    "smɪθ": "Smith",
    "ˈdʒoʊnz": "Jones",
    "ˈd͡ʒoʊnz": "Jones",
    "bɜːd": "bird",
    "bɝd": "bird",
    "ˈtiː.tʃər": "teacher",
    "'dɒktər": "doctor",
    "bed": "bed",
    "rɒk": "rock",
    "ˈwɪndəʊ": "window",
    "/ˈbrʌðɚ/": "brother",
    "[ˈwɔːɾər]": "water",
}


def test_a_word_is_read_as_the_lexicon_has_it() -> None:
    said = {ipa: in_misaki(ipa) for ipa in WORDS}
    read = G2P()
    assert said == {ipa: read(word) for ipa, word in WORDS.items()}


def test_every_letter_of_the_chart_becomes_signs_that_the_networks_have_heard() -> None:
    said = {letter: in_misaki(letter) for letter in LETTERS}
    assert all(said.values())
    assert set("".join(said.values())) <= HEARD


def test_words_stay_apart_and_what_is_no_sound_is_nothing() -> None:
    assert in_misaki("ʃiː  dʒɪnˈpɪŋ") == "ʃˈi ʤɪnpˈɪŋ"
    assert [in_misaki(silent) for silent in ("", "ˈ", "…", "ː.", "7")] == [""] * 5


def test_nasal_vowels_end_in_a_nasal() -> None:
    assert (in_misaki("sɑ̃"), in_misaki("ʒõ"), in_misaki("vɛ̃")) == ("sˈɑn", "ʒˈOn", "vˈɛn")
