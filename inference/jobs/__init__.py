"""The life of a synthesis job. Every move is one conditional UPDATE; its row count says who won.

A worker owns a job by its attempt number: `claim` raises it, and everything the worker writes names it, so that
a worker that was thought dead and is not changes nothing. PostgreSQL is the truth; a lost message, a wiped
Redis or a killed worker costs a retry, which `sweep` arranges.
"""

from __future__ import annotations

from .claiming import claim
from .ending import (
    HoldRefused,
    abandon,
    cancel,
    cut,
    expire,
    fail,
    give_back,
    hand_over,
    holding,
    is_left,
    leave,
    raise_hold,
    requeue,
    settlement,
)
from .finishing import SpokenJob, finish, settling
from .leases import Held, Kept, first_audio, heartbeat
from .submission import SUBMIT, NewJob, belongs_to, member
from .sweeping import sweep, take_back

__all__ = [
    "SUBMIT",
    "Held",
    "HoldRefused",
    "Kept",
    "NewJob",
    "SpokenJob",
    "abandon",
    "belongs_to",
    "cancel",
    "claim",
    "cut",
    "expire",
    "fail",
    "finish",
    "first_audio",
    "give_back",
    "hand_over",
    "heartbeat",
    "holding",
    "is_left",
    "leave",
    "member",
    "raise_hold",
    "requeue",
    "settlement",
    "settling",
    "sweep",
    "take_back",
]
