"""When a debugger counts as attached."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from finiex_ray.execution.debugger import debugger_attached


def _tracer(module: str) -> Any:
    """A trace function that comes from a module."""

    def trace(*_: Any) -> None: ...

    trace.__module__ = module
    return trace


def _bound(module: str) -> Any:
    """A trace method of an object whose class comes from a module, as coverage's Python tracer is."""
    owner = type("Tracer", (), {"_trace": lambda self, *_: None, "__module__": module})()
    return owner._trace


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """No debugger, whatever the tests run under."""
    monkeypatch.delenv("DEBUG_MODE", raising=False)
    monkeypatch.setattr(sys, "gettrace", lambda: None)
    monkeypatch.setattr(sys, "monitoring", SimpleNamespace(DEBUGGER_ID=0, get_tool=lambda _: None), raising=False)
    monkeypatch.delitem(sys.modules, "debugpy", raising=False)


def test_nobody_is_there() -> None:
    assert not debugger_attached()


@pytest.mark.parametrize(
    ("value", "attached"), [("1", True), ("true", True), ("0", False), ("False", False), ("", False)]
)
def test_debug_mode_decides(monkeypatch: pytest.MonkeyPatch, value: str, attached: bool) -> None:
    monkeypatch.setenv("DEBUG_MODE", value)
    assert debugger_attached() is attached


def test_debug_mode_off_wins_over_a_debugger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "gettrace", lambda: _tracer("pdb"))
    assert debugger_attached()
    monkeypatch.setenv("DEBUG_MODE", "off")
    assert not debugger_attached()


@pytest.mark.parametrize(
    ("trace", "attached"),
    [
        (_tracer("pydevd_bundle.pydevd_trace_dispatch"), True),
        (_bound("bdb"), True),
        (_tracer("coverage.collector"), False),
        (_bound("coverage.pytracer"), False),
        (type("CTracer", (), {"__module__": "coverage.tracer", "__call__": lambda *_: None})(), False),
    ],
)
def test_trace_functions(monkeypatch: pytest.MonkeyPatch, trace: Any, attached: bool) -> None:
    monkeypatch.setattr(sys, "gettrace", lambda: trace)
    assert debugger_attached() is attached


@pytest.mark.parametrize(
    ("tool", "attached"), [("pydevd", True), ("debugger", True), ("coverage", False), (None, False)]
)
def test_monitoring_tools(monkeypatch: pytest.MonkeyPatch, tool: str | None, attached: bool) -> None:
    tools = {0: tool, 1: "coverage"}
    monkeypatch.setattr(sys, "monitoring", SimpleNamespace(DEBUGGER_ID=0, get_tool=tools.get), raising=False)
    assert debugger_attached() is attached


def test_python_without_monitoring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(sys, "monitoring")
    assert not debugger_attached()


@pytest.mark.parametrize("connected", [True, False])
def test_debugpy_is_asked_for_its_client(monkeypatch: pytest.MonkeyPatch, connected: bool) -> None:
    debugpy = ModuleType("debugpy")
    monkeypatch.setattr(debugpy, "is_client_connected", lambda: connected, raising=False)
    monkeypatch.setitem(sys.modules, "debugpy", debugpy)
    monkeypatch.setitem(sys.modules, "pydevd", ModuleType("pydevd"))
    assert debugger_attached() is connected


def test_a_jupyter_kernel_that_is_still_loading_debugpy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "debugpy", ModuleType("debugpy"))
    assert not debugger_attached()
