"""From the International Phonetic Alphabet to misaki's, in which the networks here read American English.

It has one sign for each diphthong and affricate, and its stress stands before the vowel, not before the syllable.
Sounds that American English lacks become those that its speakers say for them: no network here has heard others.
"""

from __future__ import annotations

import re
import unicodedata

_VOWELS = "AIOWYæɑɔəɛɜiɪuʊʌᵊᵻ"
_CONSONANTS = "bdfhjklmnpstvwzðŋɡɹʃʒθʤʧTʔ"
_PAIRS = {
    "eɪ": "A", "eː": "A", "aɪ": "I", "aʊ": "W", "ɔɪ": "Y", "oʊ": "O", "əʊ": "O", "tʃ": "ʧ", "dʒ": "ʤ",
    "n̩": "ᵊn", "l̩": "ᵊl", "m̩": "ᵊm",
}  # fmt: skip
_SIGNS = str.maketrans(
    {
        "g": "ɡ", "'": "ˈ", "r": "ɹ", "ɾ": "T", "ɽ": "T", "ɫ": "l", "ʍ": "w", "ɱ": "m", "ɚ": "əɹ", "ɝ": "ɜ",
        "a": "ɑ", "ɐ": "ə", "ɒ": "ɑ", "e": "ɛ", "o": "O", "Q": "O", "ɘ": "ə", "ɵ": "ə", "ɞ": "ɜ", "ɤ": "ʌ",
        "ɨ": "ɪ", "ʉ": "u", "ɯ": "u", "y": "u", "ʏ": "ʊ", "ø": "ɜ", "œ": "ɜ", "ã": "ɑn", "õ": "On", "\u0303": "n",
        "x": "k", "χ": "k", "q": "k", "c": "k", "ç": "h", "ɦ": "h", "ħ": "h", "ɣ": "ɡ", "ɟ": "ɡ", "ɢ": "ɡ",
        "ʁ": "ɹ", "ʀ": "ɹ", "ɻ": "ɹ", "ɸ": "f", "β": "v", "ʋ": "v", "ɬ": "l", "ɭ": "l", "ʎ": "lj", "ɲ": "nj",
        "ɳ": "n", "ɴ": "ŋ", "ɕ": "ʃ", "ʂ": "ʃ", "ʑ": "ʒ", "ʐ": "ʒ", "ʝ": "j", "ʲ": "j", "ɥ": "w", "ɰ": "w",
        "ʷ": "w", "ʈ": "t", "ɖ": "d",
    }
)  # fmt: skip
_TIES = dict.fromkeys(map(ord, "\u0361\u035c\u032f"))
"""They join two signs, which are one in misaki."""
_UNKNOWN = re.compile(rf"[^{_VOWELS}{_CONSONANTS}ˈˌ ]")
_STRESSED = re.compile(rf"([ˈˌ])([{_CONSONANTS}]+)(?=[{_VOWELS}])")


def in_misaki(ipa: str) -> str:
    """The phonemes in misaki's alphabet. What is no sound, as a sign of length or of a syllable, is left out."""
    phonemes = unicodedata.normalize("NFC", ipa).translate(_TIES)
    for written, sign in _PAIRS.items():
        phonemes = phonemes.replace(written, sign)
    phonemes = _UNKNOWN.sub("", phonemes.translate(_SIGNS))
    phonemes = re.sub("ɜ(?!ɹ)", "ɜɹ", phonemes)
    return " ".join(_stressed(word) for word in phonemes.split() if word.strip("ˈˌ"))


def _stressed(word: str) -> str:
    """With the stress before the vowel. That of a single syllable is not written in IPA, but is in misaki."""
    if not set("ˈˌ") & set(word):
        word = f"ˈ{word}"
    return _STRESSED.sub(r"\2\1", word)
