"""Do the tests notice wrong code? Runs the trading tests on seeded mutants of the accounting and matching code.

    python tests/mutants/run_mutants.py [--count N] [--seed S] [--least PERCENT]

Each mutant is one small wrong change (`mutations.py`) to one of `MODULES`, made in memory: kernels run as plain Python in a
forked process, and the tests stop at the first failure. A mutant that no test notices is printed; one that changes no result
stands in ``equivalent.txt`` with the reason, and does not count. Exit code 1: fewer than ``--least`` percent were noticed;
2: the tests fail without any mutant.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import random
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
os.environ.update(NUMBA_DISABLE_JIT="1", FINIEX_EXAMPLES="25")
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(Path(__file__).parent)]

from mutations import Mutant, mutants_of  # noqa: E402

MODULES: Final = (
    *(f"finiex_ray.kernels.{name}" for name in ("booking", "matching", "positions", "quiet", "requests", "simulation")),
    "finiex_ray.trading.terms",
)
# From the quick to the slow: most mutants end in the first file.
TESTS: Final = (
    *(f"tests/unit/trading/test_{name}.py" for name in ("money_rules", "order_rules", "trading_metamorphic")),
    *(f"tests/unit/trading/test_{name}.py" for name in ("order_graph", "portfolio_state", "rules")),
    "tests/property/test_quiet_runs.py",
    "tests/property/test_account_oracle.py",
)
_LEFT_OUT: Final = "test_long_streams"
_MEMORY: Final = 6 * 2**30
_PATIENCE: Final = 1.5  # times the CPU time of the tests without a mutant: what takes longer has lost its way


class _Mutated(MetaPathFinder, Loader):
    """Gives one module as compiled from a changed tree."""

    def __init__(self, name: str, code: CodeType) -> None:
        self._name, self._code = name, code

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        file = _file(fullname)
        spec = importlib.util.spec_from_file_location(fullname, file, loader=self)
        assert spec is not None
        return spec

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        exec(self._code, module.__dict__)


def _file(module: str) -> Path:
    return (ROOT / module.replace(".", "/")).with_suffix(".py")


def _preload() -> None:
    """Imports what no mutant touches once, before the forks."""
    import pydantic  # noqa: F401
    import pytest  # noqa: F401

    import finiex_ray.bars.renderer
    import finiex_ray.config.load
    import finiex_ray.data.synthetic  # noqa: F401

    assert not any(name in sys.modules for name in MODULES)


def _noticed(mutant: Mutant | None, cpu_s: int) -> tuple[bool, float]:
    """Whether the tests fail (or lose their way) with a mutant, and the CPU seconds that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        if mutant is not None:
            sys.meta_path.insert(0, _Mutated(mutant.module, compile(mutant.tree(), str(_file(mutant.module)), "exec")))
        import pytest

        for tests in TESTS:  # one after the other: of a file behind the first failure nothing is even imported
            if code := int(pytest.main(["-x", "-q", "-k", f"not {_LEFT_OUT}", tests])):
                os._exit(code)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return status != 0, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _equivalents() -> set[str]:
    lines = (Path(__file__).parent / "equivalent.txt").read_text(encoding="utf-8").splitlines()
    return {line for line in lines if " | " in line and not line.startswith("#")}


def _chosen(count: int, seed: int) -> list[Mutant]:
    """Mutants drawn from all modules alike, each module's share by its size."""
    every = [mutant for module in MODULES for mutant in mutants_of(module, _file(module).read_text(encoding="utf-8"))]
    known = _equivalents()
    every = [mutant for mutant in every if mutant.key not in known]
    drawn = random.Random(seed).sample(range(len(every)), min(count, len(every)))
    return [every[place] for place in sorted(drawn)]


def _run(mutants: Sequence[Mutant], cpu_s: int) -> Iterator[tuple[Mutant, bool]]:
    for number, mutant in enumerate(mutants, 1):
        noticed, took_s = _noticed(mutant, cpu_s)
        word = "noticed" if noticed else "SURVIVED"
        print(f"{number:>4}/{len(mutants)} {word:>8} {took_s:>6.1f} s  {mutant.line:>4} {mutant.key}", flush=True)
        yield mutant, noticed


def main() -> int:
    """Runs; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100, help="mutants to draw (default 100)")
    parser.add_argument("--seed", type=int, default=0, help="of the draw (default 0)")
    parser.add_argument("--least", type=float, default=90.0, help="percent that must be noticed (default 90)")
    options = parser.parse_args()
    os.chdir(ROOT)
    _preload()
    began = time.monotonic()
    failing, cpu_s = _noticed(None, 3_600)
    if failing:
        print("the tests fail without any mutant")
        return 2
    print(f"without a mutant: {cpu_s:.0f} s of CPU time", flush=True)
    outcomes = list(_run(_chosen(options.count, options.seed), int(_PATIENCE * cpu_s) + 10))
    print(f"\n{'module':<32} {'mutants':>8} {'noticed':>8}")
    for module in MODULES:
        found = [noticed for mutant, noticed in outcomes if mutant.module == module]
        print(f"{module:<32} {len(found):>8} {sum(found):>8}")
    noticed = sum(noticed for _, noticed in outcomes)
    percent = 100 * noticed / len(outcomes)
    print(f"{'all':<32} {len(outcomes):>8} {noticed:>8}  {percent:.1f} % in {time.monotonic() - began:.0f} s")
    for mutant, was_noticed in outcomes:
        if not was_noticed:
            print(f"SURVIVED {_file(mutant.module).relative_to(ROOT)}:{mutant.line}: {mutant.key}")
    return int(percent < options.least)


if __name__ == "__main__":
    sys.exit(main())
