"""Is a debugger attached to this process? Right on Python 3.11 to 3.13, under coverage and in Jupyter."""

from __future__ import annotations

import os
import sys

__all__ = ["debugger_attached"]

_OFF = frozenset({"0", "false", "no", "off"})
_NOT_DEBUGGERS = ("coverage", "pytest_cov")


def debugger_attached() -> bool:
    """Whether someone is debugging: then everything runs in this process, in the calling thread.

    ``DEBUG_MODE`` decides where it is set (``0``, ``false``, ``no``, ``off`` mean no, any other text means yes). Else a
    trace function or a monitoring tool in the debugger's slot counts, if it is not coverage's, and so does a client that
    is connected to debugpy. That debugpy or pydevd is loaded proves nothing: every Jupyter kernel loads them.
    """
    forced = os.environ.get("DEBUG_MODE", "").strip().lower()
    if forced:
        return forced not in _OFF
    return _traced() or _monitored() or _client_connected()


def _traced() -> bool:
    """A trace function that is not coverage's (before Python 3.12 every debugger sets one; pdb still does)."""
    trace = sys.gettrace()
    if trace is None:
        return False
    owner = getattr(trace, "__self__", trace)
    modules = (type(owner).__module__, getattr(trace, "__module__", None))
    return not any(str(module).startswith(_NOT_DEBUGGERS) for module in modules)


def _monitored() -> bool:
    """A tool in slot 0 of ``sys.monitoring`` (Python 3.12 on), where debuggers register."""
    monitoring = getattr(sys, "monitoring", None)
    tool = None if monitoring is None else monitoring.get_tool(monitoring.DEBUGGER_ID)
    return tool is not None and not str(tool).startswith(_NOT_DEBUGGERS)


def _client_connected() -> bool:
    """A client of debugpy, which is asked only where it is loaded already."""
    debugpy = sys.modules.get("debugpy")
    connected = getattr(debugpy, "is_client_connected", None)
    return bool(connected()) if callable(connected) else False
