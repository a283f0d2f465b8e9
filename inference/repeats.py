"""Repeated requests: finding the job that an earlier one made, and waiting for it with the others.

There is no table of keys: a job carries its own, unique within its organization, so that a key exists exactly when
its job does and no crash can lock one. The database's function `inference_join_repeats` finds and joins the jobs
of many requests in one statement (see `repeats.sql`).
"""

from __future__ import annotations

from pathlib import Path

FUNCTION = Path(__file__).with_name("repeats.sql").read_text("utf-8")
"""Makes the function. A change of it needs a migration that runs it again."""
JOINED, REUSED, BUSY = "joined", "reused", "busy"
