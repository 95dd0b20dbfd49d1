"""Every error that finiex_ray raises on purpose, in one tree.

::

    FiniexError
    ├── ConfigError            a file or an option is wrong: names file, path, value and the mend
    ├── DataError              market data is missing, damaged or refused
    │   └── ImportRefusedError a source file was refused whole: names file, row and reason
    ├── RegistryError          an unknown worker, logic or import path
    ├── ScenarioInvalidError   a scenario cannot run as configured: carries every reason
    ├── StrategyContractError  a worker or logic broke its contract (shape, dtype, outputs)
    ├── TimeLimitError         a scenario used up its ``execution.time_limit_s``
    └── ExecutionError         the executor cannot go on (Ray unreachable, a crash of a task process)
        └── RunStoppedError    a run under way cannot go on: what is finished stays, and it can be resumed
            └── OutputError    results cannot be written (disk full, no permission)

Exceptions raised by user code are never wrapped: they travel as they are, with their traceback, in the result.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

__all__ = [
    "ConfigError",
    "DataError",
    "ExecutionError",
    "FiniexError",
    "ImportRefusedError",
    "OutputError",
    "RegistryError",
    "RunStoppedError",
    "ScenarioInvalidError",
    "StrategyContractError",
    "TimeLimitError",
    "suggest",
]


class FiniexError(Exception):
    """Base of all errors raised on purpose."""


class ConfigError(FiniexError):
    """A configuration file or command-line value is wrong.

    Args:
        message: What is wrong and how to mend it.
        source: The file (or option) that holds the value.
        path: Where in it, for example ``scenarios[2].workers.rsi_fast.period``.
    """

    def __init__(self, message: str, *, source: str = "", path: str = "") -> None:
        self.source, self.path, self.reason = source, path, message
        place = ": ".join(part for part in (source, path) if part)
        super().__init__(f"{place}: {message}" if place else message)

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild_config_error, (self.reason, self.source, self.path)


def _rebuild_config_error(message: str, source: str, path: str) -> ConfigError:
    return ConfigError(message, source=source, path=path)


class DataError(FiniexError):
    """Market data is missing, damaged or refused."""


class ImportRefusedError(DataError):
    """A source file was refused whole; nothing of it was written."""


class RegistryError(FiniexError):
    """A worker, logic or import path is unknown."""


class ScenarioInvalidError(FiniexError):
    """A scenario cannot run as it is configured.

    Args:
        reasons: Every reason that was found, each a full sentence.
    """

    def __init__(self, reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("; ".join(self.reasons))

    def __reduce__(self) -> tuple[object, ...]:
        return ScenarioInvalidError, (self.reasons,)


class StrategyContractError(FiniexError):
    """A worker or a decision logic returned something that its contract does not allow."""


class TimeLimitError(FiniexError):
    """A scenario used up its time limit."""


class ExecutionError(FiniexError):
    """The executor cannot go on."""


class RunStoppedError(ExecutionError):
    """A run under way cannot go on; what is finished stays, and it can be resumed."""


class OutputError(RunStoppedError):
    """Results cannot be written."""


def suggest(name: str, known: Iterable[str]) -> str:
    """Returns ``" Did you mean 'x'?"`` for the nearest known name, or the list of known names."""
    options = sorted(known)
    near = difflib.get_close_matches(name, options, n=1, cutoff=0.6)
    if near:
        return f" Did you mean '{near[0]}'?"
    return f" Known: {', '.join(options)}." if options else ""
