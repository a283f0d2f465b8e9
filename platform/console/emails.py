"""E-mails of the console; allauth sends its own."""

from __future__ import annotations

import logging

from django.core.mail import send_mail
from django.template.loader import render_to_string

from accounts import names
from accounts.models import Invitation
from inference.failures import place_of

log = logging.getLogger(__name__)


def send_invitation(invitation: Invitation, link: str) -> bool:
    """Whether the e-mail was sent; if not, the inviter can share the link."""
    text = render_to_string("console/emails/invitation.txt", {"invitation": invitation, "link": link})
    subject = f"Join {names.plain(invitation.organization.name)} on Speech"
    try:
        return bool(send_mail(subject, text, None, [invitation.email]))
    except OSError as error:  # smtplib's errors are
        log.error("an invitation was not sent\n%s", place_of(error))
        return False
