"""Small wrong changes to Python source: one operator, comparison, constant or statement at a time."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

__all__ = ["Mutant", "mutants_of"]

_COMPARISONS: Final = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
}  # fmt: skip
_ARITHMETIC: Final = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Div: ast.Mult,
}  # fmt: skip
_CALLS: Final = {"min": "max", "max": "min"}


class Mutant(NamedTuple):
    """One change: where, the text before and after it, and what makes the whole module with it."""

    module: str
    line: int
    place: str  # function and first line of the statement
    change: str
    tree: Callable[[], ast.Module]

    @property
    def key(self) -> str:
        """Names the change, also after lines have moved."""
        return f"{self.module.rpartition('.')[2]}.{self.place} | {self.change}"


def mutants_of(module: str, source: str) -> Iterator[Mutant]:
    """All mutants of the functions of a module, in order of place."""
    tree = ast.parse(source)
    homes = [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef))]
    for function in (node for home in homes for node in home.body if isinstance(node, ast.FunctionDef)):
        body = function.body[ast.get_docstring(function) is not None :]
        for statement, node in _places(body):
            for change in _changes(node):
                yield _mutant(module, tree, f"{function.name}: {_shown(statement)}", node, change)


def _places(statements: list[ast.stmt]) -> Iterator[tuple[ast.stmt, ast.AST]]:
    """Every node, with the statement that it is part of."""
    for statement in statements:
        yield from ((statement, node) for node in _own(statement))
        for nested in (getattr(statement, "body", []), getattr(statement, "orelse", [])):
            yield from _places(nested)


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """A node and what is below it, without statements of their own."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.stmt):
            yield from _own(child)


def _mutant(module: str, tree: ast.Module, place: str, node: ast.AST, change: Callable[[ast.AST], ast.AST]) -> Mutant:
    new = ast.copy_location(change(copy.deepcopy(node)), node)

    def made() -> ast.Module:
        memo: dict[int, object] = {}
        copied = copy.deepcopy(tree, memo)
        return ast.fix_missing_locations(_Replace(memo[id(node)], new).visit(copied))

    return Mutant(module, getattr(node, "lineno", 0), place, f"{_shown(node)} -> {_shown(new)}", made)


def _shown(node: ast.AST) -> str:
    return ast.unparse(node).split("\n", 1)[0]


class _Replace(ast.NodeTransformer):
    """Puts one node in place of another."""

    def __init__(self, old: object, new: ast.AST) -> None:
        self._old, self._new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self._new if node is self._old else self.generic_visit(node)


def _changes(node: ast.AST) -> Iterator[Callable[[ast.AST], ast.AST]]:
    """What could be wrong at one place of the code."""
    match node:
        case ast.Compare(left=left, ops=[ast.Gt() | ast.Lt()]) if ast.unparse(left).rstrip("]").endswith("side"):
            # A side is -1 or 1: the bound makes no difference, only the direction does.
            yield lambda n: _with(n, ops=[ast.LtE() if isinstance(n.ops[0], ast.Gt) else ast.GtE()])
        case ast.Compare(ops=[first, *_]) if type(first) in _COMPARISONS:
            yield lambda n: _with(n, ops=[_COMPARISONS[type(n.ops[0])](), *n.ops[1:]])
        case ast.BinOp(right=ast.Attribute(value=ast.Name(id=columns))) if len(columns) == 1:
            pass  # row + O.field: where a field is, not what happens with it
        case ast.BinOp(op=op) if type(op) in _ARITHMETIC:
            yield lambda n: _with(n, op=_ARITHMETIC[type(n.op)]())
        case ast.BoolOp():
            yield lambda n: _with(n, op=ast.And() if isinstance(n.op, ast.Or) else ast.Or())
        case ast.UnaryOp(op=ast.USub() | ast.Not()):
            yield lambda n: n.operand
        case ast.IfExp():
            yield lambda n: _with(n, body=n.orelse, orelse=n.body)
        case ast.Call(func=ast.Name(id=name)) if name in _CALLS:
            yield lambda n: _with(n, func=ast.Name(_CALLS[n.func.id], ast.Load()))
        case ast.Constant(value=bool()):
            yield lambda n: ast.Constant(not n.value)
        case ast.Constant(value=int() | float()):
            yield lambda n: ast.Constant(n.value + 1)
        case ast.AugAssign() | ast.Expr(value=ast.Call()) | ast.Assign(targets=[ast.Subscript()]):
            yield lambda n: ast.Pass()
        case _:
            pass


def _with(node: ast.AST, **fields: object) -> ast.AST:
    for name, value in fields.items():
        setattr(node, name, value)
    return node
