"""Constraints between parameters: ``fast.period < slow.period``, read as an expression and never evaluated as code."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from finiex_ray.core.errors import ConfigError, suggest

__all__ = ["Constraint", "parse_constraint"]

_COMPARE: Final[dict[type, Callable[[Any, Any], bool]]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_ARITHMETIC: Final[dict[type, Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_UNARY: Final[dict[type, Callable[[Any], Any]]] = {ast.USub: operator.neg, ast.Not: operator.not_}
_HOW: Final = (
    "write comparisons of parameters and numbers, for example 'fast.period < slow.period and sl_points <= 300'"
)


@dataclass(frozen=True)
class Constraint:
    """One constraint.

    Attributes:
        text: As it was written.
        holds: Whether parameters meet it.
    """

    text: str
    holds: Callable[[Mapping[str, Any]], bool]


def parse_constraint(given: str | Callable[[Mapping[str, Any]], bool], paths: Iterable[str]) -> Constraint:
    """Reads a constraint.

    Args:
        given: An expression of comparisons, ``and``, ``or``, ``not`` and arithmetic; or a function of the parameters.
        paths: The parameters of the space.

    Raises:
        ConfigError: If it is no such expression, or names what is no parameter.
    """
    if callable(given):
        return Constraint(getattr(given, "__name__", repr(given)), given)
    known = sorted(paths)
    try:
        tree = ast.parse(given, mode="eval").body
        evaluate = _compile(tree, known, given)
    except SyntaxError:
        raise ConfigError(f"cannot be read; {_HOW}", source="constraints", path=repr(given)) from None

    def holds(params: Mapping[str, Any]) -> bool:
        try:
            return bool(evaluate(params))
        except (TypeError, ZeroDivisionError) as error:
            raise ConfigError(
                f"cannot be worked out for {dict(params)}: {error}", source="constraints", path=repr(given)
            ) from None

    return Constraint(given, holds)


def _compile(node: ast.expr, known: list[str], text: str) -> Callable[[Mapping[str, Any]], Any]:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float | str):
        value = node.value
        return lambda _: value
    if isinstance(node, ast.Name | ast.Attribute):
        path = _path(_dotted(node), known, text)
        return lambda params: params[path]
    if isinstance(node, ast.UnaryOp) and type(node.op) in _UNARY:
        function, inner = _UNARY[type(node.op)], _compile(node.operand, known, text)
        return lambda params: function(inner(params))
    if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        combine, left, right = (
            _ARITHMETIC[type(node.op)],
            _compile(node.left, known, text),
            _compile(node.right, known, text),
        )
        return lambda params: combine(left(params), right(params))
    if isinstance(node, ast.BoolOp):
        parts, decide = (
            [_compile(each, known, text) for each in node.values],
            all if isinstance(node.op, ast.And) else any,
        )
        return lambda params: decide(part(params) for part in parts)
    if isinstance(node, ast.Compare) and all(type(each) in _COMPARE for each in node.ops):
        compare = [_COMPARE[type(each)] for each in node.ops]
        terms = [_compile(each, known, text) for each in (node.left, *node.comparators)]
        return lambda params: all(
            test(left(params), right(params)) for test, left, right in zip(compare, terms, terms[1:], strict=False)
        )
    raise ConfigError(
        f"holds {ast.unparse(node)!r}, which cannot stand here; {_HOW}", source="constraints", path=repr(text)
    )


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ast.unparse(node)


def _path(name: str, known: list[str], text: str) -> str:
    ends = [path for path in known if path == name or path.endswith(f".{name}")]
    if name in known:
        return name
    if len(ends) == 1:
        return ends[0]
    what = (
        f"could be {' or '.join(ends)}; write more of the path"
        if ends
        else f"is no parameter of the space.{suggest(name, known)}"
    )
    raise ConfigError(f"'{name}' {what}", source="constraints", path=repr(text))
