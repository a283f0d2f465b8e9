"""A person ends one of their own sessions; allauth's page lists them, and ends all others."""

from __future__ import annotations

from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from console.access import actor_of


@login_required
@require_POST
def end(request: HttpRequest, session_id: int) -> HttpResponse:
    get_object_or_404(UserSession, pk=session_id, user=actor_of(request).user).end()
    messages.success(request, "The session has ended.")
    return redirect("usersessions_list")
