"""A disk that fails at the N-th write, wait or change of a name, for tests of what is written.

Every byte of a run folder goes through three names of `finiex_ray.results.files`; here they are counted, and one call
raises, after a part of the bytes has been written, as a full disk does. From then on every call fails: the disk stays broken.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from finiex_ray.results import files

OPERATIONS = ("os_write", "os_sync", "os_rename")


class Disk:
    """Counts calls of one operation; the one numbered ``fails_at`` (from 1) and all calls after it fail."""

    def __init__(self, operation: str, fails_at: int | None = None) -> None:
        self.operation, self.fails_at = operation, fails_at
        self.calls = 0
        self.broken = False

    @contextmanager
    def __call__(self) -> Iterator[Disk]:
        with pytest.MonkeyPatch.context() as patch:
            for name in OPERATIONS:
                patch.setattr(files, name, self._wrapped(name, getattr(files, name)))
            yield self

    def _wrapped(self, name, real):
        def call(*arguments):
            if name == self.operation:
                self.calls += 1
                self.broken = self.broken or self.calls == self.fails_at
            if self.broken:
                if name == "os_write":
                    descriptor, data = arguments
                    os.write(descriptor, bytes(data)[: len(data) // 2])
                raise OSError(errno.ENOSPC, "No space left on device")
            return real(*arguments)

        return call
