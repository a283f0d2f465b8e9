"""The form of the pronunciation page."""

from __future__ import annotations

from django import forms

from inference.speech import lexicons
from inference.speech.lexicons import LexiconError
from inference.speech.pronunciation import MAX_PART_WORD_RULES, PronunciationRule


class PronunciationForm(forms.Form):
    """A pronunciation dictionary. What is pasted as a lexicon of the W3C is read as one."""

    name = forms.CharField(max_length=100, label="Name")
    rules = forms.CharField(
        label="Rules",
        required=False,
        max_length=524_288,
        strip=False,
        widget=forms.Textarea({"rows": 6, "spellcheck": "false", "placeholder": "Nguyen,win"}),
        help_text="A line for each: what is written, then how it is said, such as Nguyen,win. A first line may "
        "name the columns: grapheme, say, ipa, case_sensitive, whole_word, priority. Or paste a PLS lexicon.",
    )

    def clean_rules(self) -> list[PronunciationRule]:
        text: str = self.cleaned_data["rules"]
        try:
            rules = lexicons.from_pls(text) if text.lstrip().startswith("<") else lexicons.from_csv(text)
        except LexiconError as error:
            raise forms.ValidationError(f"{error}."[:1].upper() + f"{error}."[1:]) from None
        if sum(not each.whole_word for each in rules) > MAX_PART_WORD_RULES:
            raise forms.ValidationError(f"At most {MAX_PART_WORD_RULES} rules can hold within words.")
        return rules
