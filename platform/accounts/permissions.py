"""What each role can do, in one table."""

from __future__ import annotations

from enum import StrEnum

from accounts.models import Membership

Role = Membership.Role


class Action(StrEnum):
    """An action in an organization that needs a permission."""

    SEE_USAGE = "see usage and the request log"
    HEAR_AUDIO = "listen to stored audio"
    SEE_KEYS = "see the API keys"
    MANAGE_KEYS = "create, change and revoke API keys"
    USE_PLAYGROUND = "use the playground"
    MANAGE_VOICES = "make, hear and delete voices"
    MANAGE_BATCHES = "cancel batches and download their results"
    SEE_BILLING = "see balance and movements"
    PAY = "top up and redeem codes"
    MANAGE_BUDGETS = "set the organization's budgets"
    SEE_ALERTS = "see what the organization is told of"
    MANAGE_ALERTS = "set alerts and webhooks"
    SEE_MEMBERS = "see who belongs to the organization"
    MANAGE_MEMBERS = "invite, change and remove members"
    SEE_ACTIVITY = "see who did what"
    RENAME = "rename the organization"
    TRANSFER = "hand the organization over"
    EXPORT = "download everything that is kept of the organization"
    DELETE = "delete the organization"


_EVERYBODY = frozenset({Action.SEE_USAGE, Action.SEE_KEYS, Action.SEE_ALERTS, Action.SEE_MEMBERS})
_DEVELOPER = _EVERYBODY | {
    Action.HEAR_AUDIO,
    Action.MANAGE_KEYS,
    Action.USE_PLAYGROUND,
    Action.MANAGE_VOICES,
    Action.MANAGE_BATCHES,
}
_BILLING = _EVERYBODY | {Action.SEE_BILLING, Action.PAY, Action.MANAGE_BUDGETS, Action.MANAGE_ALERTS}
_ADMIN = _DEVELOPER | _BILLING | {Action.MANAGE_MEMBERS, Action.SEE_ACTIVITY, Action.RENAME}

ALLOWED: dict[str, frozenset[Action]] = {
    Role.OWNER: _ADMIN | {Action.TRANSFER, Action.EXPORT, Action.DELETE},
    Role.ADMIN: _ADMIN,
    Role.DEVELOPER: _DEVELOPER,
    Role.BILLING: _BILLING,
    Role.VIEWER: _EVERYBODY,
}

VISITOR = frozenset(
    {
        *(Action.SEE_USAGE, Action.SEE_KEYS, Action.MANAGE_KEYS, Action.SEE_BILLING, Action.PAY),
        *(Action.MANAGE_BUDGETS, Action.SEE_MEMBERS, Action.MANAGE_MEMBERS, Action.SEE_ACTIVITY),
        *(Action.SEE_ALERTS, Action.MANAGE_ALERTS, Action.RENAME, Action.TRANSFER),
    }
)
"""Forms that an operator sees during a visit, but cannot submit (`console.access`).

Named one by one, so that a new action is withheld until somebody thinks of it. Left out is what members say and
hear.
"""


def may(role: str, action: Action) -> bool:
    return action in ALLOWED[role]


def roles_that_may(action: Action) -> list[str]:
    """The roles that can do it, for an error message."""
    return [role for role, actions in ALLOWED.items() if action in actions]
