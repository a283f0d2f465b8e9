"""Acts that move money, and those that wait for approval."""

from __future__ import annotations

from typing import Any

from django.contrib import admin

from billing.audit import Operator
from operations import four_eyes
from operations.admin.base import Looked, act
from operations.models import MoneyAct
from operations.roles import Act


@admin.register(MoneyAct)
class MoneyActs(Looked):
    list_display = ("asked_at", "act", "amount", "asked_by", "held", "approved_by", "done_at", "expires_at")
    list_display_links = ("asked_at",)
    list_select_related = ("asked_by", "approved_by")
    list_filter = ("held",)
    found_by = ("id", "row_id")
    ordering = ("-id",)
    actions_detail = ("approve",)

    @act("Approve this act", Act.MOVE_MONEY)
    def approve(self, waiting: MoneyAct, operator: Operator, asked: dict[str, Any]) -> str:
        return four_eyes.approve(waiting, operator)
