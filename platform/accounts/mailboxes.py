"""The mailbox that an e-mail address reaches. Several addresses can reach one mailbox, which is one person's.

Only a keyed hash of it is kept, so that what is counted once a mailbox stays counted when the account is deleted,
and nobody who reads the table learns an address.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from contextlib import suppress

import idna
from django.conf import settings

_SAME_DOMAIN = {
    "googlemail.com": "gmail.com",
    **dict.fromkeys(("protonmail.com", "protonmail.ch", "pm.me"), "proton.me"),
    **dict.fromkeys(("me.com", "mac.com"), "icloud.com"),
    **dict.fromkeys(("ya.ru", "yandex.com"), "yandex.ru"),
}
_IGNORED = {"gmail.com": ".", "proton.me": ".-_", "yandex.ru": ".-"}
"""Characters that providers ignore before the @."""


def normalise(address: str) -> str:
    """The mailbox that an address reaches, as far as its provider's rules are known.

    What follows a plus sign is left off everywhere: nearly all providers deliver it to the same mailbox.
    """
    local, _, domain = unicodedata.normalize("NFKC", address.strip()).rpartition("@")
    domain = domain.lower().rstrip(".")
    with suppress(idna.IDNAError):  # what is not a valid domain is kept as written
        domain = idna.encode(domain, uts46=True).decode()
    domain = _SAME_DOMAIN.get(domain, domain)
    local = local.lower().partition("+")[0] or local.lower()
    kept = "".join(letter for letter in local if letter not in _IGNORED.get(domain, ""))
    return f"{kept or local}@{domain}"


def hash_of(address: str) -> bytes:
    """The keyed hash of an address's mailbox."""
    return keyed_hash(f"mailbox:{normalise(address)}")


def keyed_hash(text: str) -> bytes:
    """HMAC-SHA-256 under the lowest of the API keys' peppers: a new pepper has the highest number."""
    pepper = settings.API_KEY_PEPPERS[min(settings.API_KEY_PEPPERS)]
    return hmac.digest(hashlib.sha256(b"mailboxes" + pepper).digest(), text.encode(), "sha256")
