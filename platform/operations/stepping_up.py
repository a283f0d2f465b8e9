"""A fresh second factor before an operator moves money, in case somebody else uses their open browser."""

from __future__ import annotations

import time

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import urlencode

from operations.roles import Act

FRESH_SECONDS = 600
MONEY = frozenset({Act.MOVE_MONEY, Act.AGREE, Act.RUN})
"""Acts that give a customer money, or lower what they pay."""


def demand(request: HttpRequest, act: Act) -> HttpResponse | None:
    """A redirect to enter the second factor; None if it is not needed, or was given in the last ten minutes."""
    if act not in MONEY or _is_fresh(request):
        return None
    methods = get_adapter(request).get_reauthentication_methods(request.user)
    factor = next(method["url"] for method in methods if method["id"].startswith("mfa_"))
    return redirect(f"{factor}?{urlencode({REDIRECT_FIELD_NAME: request.get_full_path()})}")


def _is_fresh(request: HttpRequest) -> bool:
    since = time.time() - FRESH_SECONDS
    records = get_authentication_records(request, request.user)
    return any(record["method"] == "mfa" and record["at"] > since for record in records)
