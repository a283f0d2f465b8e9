"""Accounts that someone else created with a person's address.

The e-mail proves that the address is the reader's, not that the reader chose the password: anybody may sign up
with someone's address and wait for the owner to confirm it. So confirming in another browser than the one that
signed up removes every way into the account but the mailbox, and the owner sets a new password.
"""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.signals import email_confirmed, password_reset
from allauth.account.stages import EmailVerificationStage, LoginStageController
from allauth.socialaccount.models import SocialAccount
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.models import User


@receiver(email_confirmed)
def take_over(request: HttpRequest, email_address: EmailAddress, **_: Any) -> None:
    """The first confirmed address decides who owns the account."""
    proved = EmailAddress.objects.filter(user=email_address.user_id, verified=True)
    if proved.exclude(pk=email_address.pk).exists() or _signing_up(request) == email_address.user_id:
        return
    user = email_address.user
    user.set_unusable_password()  # which ends the sessions, too
    user.save(update_fields=["password"])
    SocialAccount.objects.filter(user=user).delete()


@receiver(password_reset)
def forget_elsewhere(user: User, **_: Any) -> None:
    """Who resets the password of an account that nobody has confirmed, did not connect it to one of elsewhere."""
    if not EmailAddress.objects.filter(user=user, verified=True).exists():
        SocialAccount.objects.filter(user=user).delete()


def _signing_up(request: HttpRequest) -> int | None:
    """The user who signed up in this browser and has not confirmed the address yet."""
    stage = LoginStageController.enter(request, EmailVerificationStage.key)
    return stage.login.user.pk if stage and stage.login.user else None
