"""Telling a full disk from everything else that can go wrong with a file."""

from __future__ import annotations

import errno

#: No space, quota used up, and the limit of the process on the size of a file.
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def is_full(error: BaseException) -> bool:
    """Say whether `error`, of the system or of the database, means that nothing more can be written."""
    if isinstance(error, OSError):
        return error.errno in _FULL
    said = str(getattr(error, "orig", ""))
    return "disk is full" in said or "disk I/O error" in said
