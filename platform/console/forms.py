"""Forms of an organization and its members.

They validate and type their values; what is done with them is elsewhere.
"""

from __future__ import annotations

from typing import Any

from django import forms

from accounts import names
from accounts.models import MAX_AUDIO_DAYS, Membership

ROLES = [(role, label) for role, label in Membership.Role.choices if role != Membership.Role.OWNER]


class InviteForm(forms.Form):
    email = forms.EmailField(label="E-mail address", max_length=254)
    role = forms.ChoiceField(choices=ROLES, initial=Membership.Role.DEVELOPER)


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=ROLES)


class OrganizationForm(forms.Form):
    name = forms.CharField(max_length=names.MAX_LENGTH, label="Name", validators=[names.check])


class RetentionForm(forms.Form):
    """How long an organization's audio is kept."""

    audio_days = forms.IntegerField(
        label="Days",
        required=False,
        min_value=0,
        max_value=MAX_AUDIO_DAYS,
        help_text=f"0 to {MAX_AUDIO_DAYS}. 0 deletes audio a minute after the answer. Empty: the default.",
    )


class DeletionForm(forms.Form):
    """Deletion is confirmed by typing the name."""

    name = forms.CharField(label="To confirm", max_length=254, widget=forms.TextInput({"autocomplete": "off"}))

    def __init__(self, *args: Any, expected: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.expected = expected
        self.fields["name"].label = f"Type {expected} to confirm"

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name != self.expected.strip():
            raise forms.ValidationError(f"Type exactly: {self.expected}")
        return name
