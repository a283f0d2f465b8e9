"""Announcements in the console. They are published and ended, and never edited."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from billing import audit
from billing.audit import Operator
from console import announcements
from console.models import Announcement
from operations.admin.base import Looked, ReasonForm, act
from operations.roles import Act


def _moment() -> UnfoldAdminTextInputWidget:
    return UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"})


class AnnouncementForm(ReasonForm):
    title = forms.CharField(max_length=120, widget=UnfoldAdminTextInputWidget())
    text = forms.CharField(
        max_length=1000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Plain text; an address becomes a link.",
    )
    level = forms.ChoiceField(choices=Announcement.Level.choices, widget=UnfoldAdminSelectWidget())
    starts_at = forms.DateTimeField(
        label="Starts at (UTC)", widget=_moment(), initial=lambda: f"{timezone.now():%Y-%m-%dT%H:%M}"
    )
    ends_at = forms.DateTimeField(label="Ends at (UTC)", widget=_moment())
    field_order = ("title", "text", "level", "starts_at", "ends_at", "reason")

    def clean_ends_at(self) -> Any:
        ends_at, starts_at = self.cleaned_data["ends_at"], self.cleaned_data.get("starts_at")
        if ends_at <= timezone.now():
            raise forms.ValidationError("The end must be in the future.")
        if starts_at and ends_at <= starts_at:
            raise forms.ValidationError("The end must be after the start.")
        return ends_at


@admin.register(Announcement)
class Announcements(Looked):
    list_display = ("title", "level", "starts_at", "ends_at", "ended_at")
    list_display_links = ("title",)
    found_by = ("id",)
    ordering = ("-id",)
    actions_list = ("publish",)
    actions_detail = ("end",)

    @act("Publish an announcement", Act.ANNOUNCE, AnnouncementForm)
    def publish(self, row: None, operator: Operator, asked: dict[str, Any]) -> str:
        shown = {name: value for name, value in asked.items() if name != "reason"}
        made = announcements.publish(**shown)
        audit.record(operator, what=f"announcement {made.id} published")
        return "It is on top of every page of the console while it lasts."

    @act("End this announcement", Act.ANNOUNCE)
    def end(self, announcement: Announcement, operator: Operator, asked: dict[str, Any]) -> str:
        if not announcements.end(announcement):
            raise ValueError("This announcement has ended.")
        audit.record(operator, what=f"announcement {announcement.id} ended")
        return "It is gone from the console."
