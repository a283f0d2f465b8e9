"""The Range header of RFC 9110, as far as players use it: one range of bytes."""

from __future__ import annotations

import re


def parse(header: str, size: int) -> range | None:
    """The bytes that a Range header asks for; empty if there are none, None if the header is to be ignored."""
    match = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", header.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        return range(max(0, size - int(last)), size)
    stop = min(int(last) + 1, size) if last else size
    if last and int(last) < int(first):
        return None
    return range(int(first), stop)
