"""The decorators for kernels (`kernel`; what they call: `part`, `helper`, `inlined`): numba, and a cache of machine code.

numba's own cache looks at the path and at the one file that holds the function: it misses an edit to a helper elsewhere,
and it compiles again for each copy of the package at another path (every Ray working directory is one). Here the key is
the content of the kernel and core packages and of the file itself, whatever the path, so all processes of a machine
share one entry, and any edit makes a new one.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numba
from numba.core.caching import FunctionCache, _CacheLocator
from platformdirs import user_cache_path

from finiex_ray.kernels.compiling import KernelCompiler, PartCompiler
from finiex_ray.kernels.machine_code import pack, unpack

if TYPE_CHECKING:
    from filelock import BaseFileLock

__all__ = ["ContentLocator", "cache_root", "cache_trusted", "compiled_before", "helper", "inlined", "kernel", "part"]

_Function = TypeVar("_Function", bound=Callable[..., Any])
_OPTIONS = {"nogil": True, "error_model": "numpy"}
_PATIENCE_S = 120.0
_PACKAGE = Path(__file__).resolve().parent.parent


def cache_root() -> Path:
    """Folder of the kernel cache: ``FINIEX_RAY_CACHE_DIR``, or the user's cache folder."""
    chosen = os.environ.get("FINIEX_RAY_CACHE_DIR")
    return (Path(chosen) if chosen else user_cache_path("finiex_ray")) / "kernels"


@cache
def _package_key() -> str:
    digest = hashlib.sha256()
    for room in ("core", "kernels"):
        for path in sorted((_PACKAGE / room).glob("*.py")):
            digest.update(f"{room}/{path.name}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _trusted(folder: Path) -> bool:
    """Whether nobody else can have put machine code there: it is loaded as it is."""
    status = folder.stat()
    own = not hasattr(os, "geteuid") or status.st_uid in (0, os.geteuid())
    return own and not status.st_mode & stat.S_IWOTH


def cache_trusted() -> bool:
    """Whether machine code from the cache folder is used: nobody else can have put it there."""
    return _trusted(cache_root())


def compiled_before() -> bool:
    """Whether this machine's cache holds machine code of the account's kernels as they are now; also where none is made."""
    return bool(numba.config.DISABLE_JIT) or any(
        _place(_stamp(_PACKAGE / "kernels" / "simulation.py")).glob("*.advance_nb-*.nbc")
    )


def _stamp(py_file: Path) -> str:
    return hashlib.sha256(_package_key().encode() + py_file.read_bytes()).hexdigest()


def _place(stamp: str) -> Path:
    return cache_root() / stamp[:2] / stamp[2:18]


class ContentLocator(_CacheLocator):
    """Tells numba where the machine code of one function is kept: in a folder named after the content."""

    def __init__(self, py_func: Callable[..., Any], py_file: str) -> None:
        self._py_file = py_file
        self._line = py_func.__code__.co_firstlineno
        self._stamp = _stamp(Path(py_file))
        self._path = _place(self._stamp)

    def get_cache_path(self) -> str:
        """The folder for index and data files."""
        return str(self._path)

    def get_source_stamp(self) -> str:
        """What must be equal for an entry to be valid."""
        return self._stamp

    def get_disambiguator(self) -> str:
        """Tells apart functions of the same name in one file."""
        return str(self._line)

    @classmethod
    def from_function(cls, py_func: Callable[..., Any], py_file: str) -> ContentLocator | None:
        """A locator, or None where the source or the cache folder is out of reach, or others may write there."""
        try:
            locator = cls(py_func, py_file)
            locator.ensure_cache_path()
            if not _trusted(cache_root()):
                return None
        except OSError:
            return None
        return locator


class _MachineCache(FunctionCache):
    """Machine code that one process of the machine compiles, while the others wait for it.

    It is loaded without filling numba's tables for compiling, which takes longer than all the rest of a start: a process
    that compiles something fills them then.
    """

    def __init__(self, py_func: Callable[..., Any]) -> None:
        super().__init__(py_func)
        self._held: BaseFileLock | None = None

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """What was compiled for the signature; None: it is for this process to do, and to give to `save_overload`."""
        found = self._read(sig, target_context)
        if found is None and self._held is None and self._wait():
            found = self._read(sig, target_context)
            if found is not None:
                self._release()
        return found

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keeps what was compiled."""
        packed = pack(data) if self._impl.check_cachable(data) else None
        if packed is not None:
            with suppress(OSError), self._cache_file._open_for_write(str(self._file(sig, data.codegen))) as file:
                file.write(packed)
        self._release()

    def _read(self, sig: Any, target_context: Any) -> Any:
        try:
            data = self._file(sig, target_context.codegen()).read_bytes()
        except OSError:
            return None
        return unpack(data, target_context)

    def _file(self, sig: Any, codegen: Any) -> Path:
        """Where it is kept: by the function's code, the types, the processor, and how numba compiles."""
        key = (self._index_key(sig, codegen), numba.__version__, numba.config.OPT, numba.config.BOUNDSCHECK)
        return Path(
            self.cache_path, f"{self._impl.filename_base}.{hashlib.sha256(repr(key).encode()).hexdigest()[:16]}.nbc"
        )

    def _wait(self) -> bool:
        """Waits until no other process compiles the function; False: there is no telling, or it takes too long."""
        from filelock import FileLock, Timeout

        # A cycle of processes that wait for each other would be one of functions that call each other.
        lock = FileLock(f"{self.cache_path}/{self._impl.filename_base}.lock", timeout=_PATIENCE_S)
        try:
            lock.acquire()
        except (OSError, NotImplementedError, Timeout):
            return False
        self._held = lock
        return True

    def _release(self) -> None:
        if self._held is not None:
            self._held.release()
            self._held = None


def kernel(function: _Function) -> _Function:
    """Compiles ``function`` lazily with numba: releases the GIL, IEEE arithmetic in source order, numpy's division.

    ``NUMBA_DISABLE_JIT=1`` leaves it plain Python. In place of an exception, division by zero gives inf or NaN.
    """
    if numba.config.DISABLE_JIT:
        return function
    return _any_number(_kept(numba.njit(no_cfunc_wrapper=True, pipeline_class=KernelCompiler, **_OPTIONS)(function)))


def _kept(dispatcher: Any) -> Any:
    before = numba.config.CACHE_LOCATOR_CLASSES
    numba.config.CACHE_LOCATOR_CLASSES = f"{__name__}.{ContentLocator.__name__}"
    try:
        with suppress(RuntimeError):  # no folder to keep machine code in: compile in memory
            dispatcher._cache = _MachineCache(dispatcher.py_func)
    finally:
        numba.config.CACHE_LOCATOR_CLASSES = before
    return dispatcher


def part(function: _Function) -> _Function:
    """Like `helper`, for a large function: it is kept as kernels are, so that one process can compile it for another."""
    compiled = _helper(function)
    return compiled if compiled is function else _kept(compiled)


def helper(function: _Function) -> _Function:
    """Like `kernel`, for a function that only kernels call: it has no machine code of its own, and lives in theirs (`linking`).

    `inlined` is for the ones that are called for single ticks.
    """
    return _helper(function)


def inlined(function: _Function) -> _Function:
    """Like `helper`, for a small function that is called for single ticks: LLVM puts it into its caller's code."""
    return _helper(function, forceinline=True)


def _helper(function: _Function, **options: bool) -> _Function:
    if numba.config.DISABLE_JIT:
        return function
    compiled = numba.njit(
        no_cfunc_wrapper=True, no_cpython_wrapper=True, _nrt=False, pipeline_class=PartCompiler, **_OPTIONS, **options
    )
    return _any_number(compiled(function))


def _any_number(dispatcher: Any) -> Any:
    """Lets a call with a constant use the version for any number; numba would compile one for each constant."""
    template = dispatcher.get_call_template

    def plain(args: tuple[Any, ...], kws: dict[str, Any]) -> Any:
        return template(
            tuple(map(numba.types.unliteral, args)), {name: numba.types.unliteral(value) for name, value in kws.items()}
        )

    dispatcher.get_call_template = plain
    return dispatcher
