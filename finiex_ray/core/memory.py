"""Memory of this process, as the system counts it."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["own_memory"]


def own_memory() -> int | None:
    """Bytes in memory that this process does not share, its data without libraries and object store; None where not known.

    Read from ``/proc`` in some microseconds; other systems than Linux have no such file.
    """
    try:
        fields = Path("/proc/self/statm").read_text(encoding="ascii").split()
        return (int(fields[1]) - int(fields[2])) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError, AttributeError):
        return None
