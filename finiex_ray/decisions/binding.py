"""Binds the roles of a logic to the workers of its scenario."""

from __future__ import annotations

from collections.abc import Mapping

from finiex_ray.core.enums import Wake
from finiex_ray.core.errors import ScenarioInvalidError, suggest
from finiex_ray.decisions.base import DecisionLogic
from finiex_ray.decisions.tick_style import TickLogic
from finiex_ray.workers.base import Worker

__all__ = ["bind_roles", "wake_reasons"]


def bind_roles(logic: DecisionLogic, workers: Mapping[str, Worker]) -> dict[str, str]:
    """Finds the worker that plays each role: the one named in ``inputs``, else the only one with the role's outputs.

    Raises:
        ScenarioInvalidError: With a reason for each role that no worker, or more than one, can play, and for each
            entry of ``inputs`` that names no role or no worker.
    """
    bound: dict[str, str] = {}
    reasons = [
        f"logic input '{role}' is no role of {type(logic).__name__}.{suggest(role, logic.roles)}"
        for role in logic.params.inputs
        if role not in logic.roles
    ]
    for role, outputs in logic.roles.items():
        able = [name for name, worker in workers.items() if set(outputs) <= set(worker.outputs)]
        named = logic.params.inputs.get(role)
        if named in able:
            bound[role] = named
        elif named is None and len(able) == 1:
            bound[role] = able[0]
        else:
            reasons.append(_reason(role, outputs, named, able, workers))
    if reasons:
        raise ScenarioInvalidError(reasons)
    return bound


def wake_reasons(logic: DecisionLogic) -> list[str]:
    """Why a logic would never be called at what it waits for."""
    name, wanted = type(logic).__name__, logic.params.wake_on
    if wanted is not None and logic.policy() is not None:
        return [
            f"logic.wake_on is {', '.join(wanted)}: the compiled policy trades {name}, which is never called; leave it out"
        ]
    silent = isinstance(logic, TickLogic) and type(logic).decide is TickLogic.decide
    if silent and not logic.wake_on & (Wake.TICK | Wake.BAR | Wake.GAP):
        return [
            f"logic.wake_on: {name} would never be called: it has no 'decide' that gives actions; write one, or add bars or gaps"
        ]
    return []


def _reason(
    role: str, outputs: tuple[str, ...], named: str | None, able: list[str], workers: Mapping[str, Worker]
) -> str:
    wanted = ", ".join(outputs)
    if named is not None and named not in workers:
        return (
            f"logic input '{role}' names worker '{named}', which the scenario does not have.{suggest(named, workers)}"
        )
    if named is not None:
        has, fit = ", ".join(workers[named].outputs), ", ".join(able) or "none"
        return f"logic input '{role}' needs a worker with {wanted}; '{named}' has {has} (workers that fit: {fit})"
    if able:
        return (
            f"more than one worker can play the role '{role}' ({', '.join(able)}); "
            f'name one: "inputs": {{"{role}": "{able[0]}"}}'
        )
    listed = ", ".join(f"{name} ({', '.join(worker.outputs)})" for name, worker in workers.items()) or "none"
    return f"no worker can play the role '{role}', which needs the outputs {wanted}; add one (workers here: {listed})"
