"""The predecessor's ``trade_simulator_config``, ``execution_config`` and ``order_guard``: account, seed and execution."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from finiex_ray.convert.notes import rest
from finiex_ray.convert.strategy import Tell

__all__ = ["BROKERS", "convert_account", "convert_execution"]

BROKERS: Final = {"mt5": "mt5_fx", "kraken_spot": "crypto_spot"}
"""The predecessor's kinds of brokers, and the files of ours that come nearest."""

_SEEDS: Final = ("inbound_latency_seed", "api_latency_seed", "market_execution_seed")


def convert_account(old: Mapping[str, Any], guard: Mapping[str, Any], tell: Tell, guard_tell: Tell) -> dict[str, Any]:
    """Gives our ``account`` and ``seed``.

    Args:
        old: A ``trade_simulator_config``.
        guard: An ``order_guard``.
        tell: Takes what could not be taken over of the former.
        guard_tell: The same for the latter.
    """
    account: dict[str, Any] = _balance(old, tell)
    known = {"balances", "initial_balance", "currency", "account_currency", "seeds", "broker_config_path"}
    for key, value in rest(old, known).items():
        tell(key, value, "has no equivalent; see latency, slippage and rejection_share of a broker file")
    path = old.get("broker_config_path")
    if path is not None:
        tell(
            "broker_config_path",
            path,
            "convert that file too (finiex-ray convert), and name the result as account.broker",
        )
    found: dict[str, Any] = {}
    if guard:
        limits = {"rejections": guard.get("max_consecutive_rejections"), "cool_down_s": guard.get("cooldown_seconds")}
        if None in limits.values():
            guard_tell(
                "", dict(guard), "a guard needs both max_consecutive_rejections and cooldown_seconds; it is left out"
            )
        else:
            account["guard"] = limits
        for key, value in rest(guard, {"max_consecutive_rejections", "cooldown_seconds"}).items():
            guard_tell(key, value, "has no equivalent; it is left out")
    if account:
        found["account"] = account
    found |= _seed(old.get("seeds") or {}, tell)
    return found


def _balance(old: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    balances = rest(old.get("balances") or {}, set())
    if balances:
        (currency, balance), *others = balances.items()
        if others:
            tell("balances", balances, f"an account opens with one currency; {currency} is taken, the rest is left out")
        return {"currency": currency, "balance": balance}
    account: dict[str, Any] = {}
    if "initial_balance" in old:
        account["balance"] = old["initial_balance"]
    currency = old.get("account_currency", old.get("currency"))
    if currency == "auto":
        tell(
            "currency",
            currency,
            "an account has one currency here, whatever the symbol; USD is the default: state another",
        )
    elif currency is not None:
        account["currency"] = currency
    return account


def _seed(old: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    seeds = rest(old, set())
    if not seeds:
        return {}
    chosen = next((name for name in _SEEDS if name in seeds), next(iter(seeds)))
    for name, value in seeds.items():
        if name != chosen:
            tell(f"seeds.{name}", value, f"one seed draws everything here; that of {chosen} is taken")
    return {"seed": seeds[chosen]}


def convert_execution(old: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    """Gives our ``execution`` for an ``execution_config``."""
    found = {}
    if isinstance(old.get("parallel_workers"), bool):
        found["execution"] = {"parallel_workers": old["parallel_workers"]}
    elif old.get("parallel_workers") is not None:
        tell("parallel_workers", old["parallel_workers"], "is a yes or no here; it is left out")
    for key, value in rest(old, {"parallel_workers"}).items():
        tell(key, value, "has no equivalent: how a set is executed is said on the command line (--executor, --jobs)")
    return found
