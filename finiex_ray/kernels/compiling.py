"""numba's compiler for kernels and their parts: into libraries of our own, without passes that parts have no use for.

And without asking twice: wherever an operator stands, numba asks some ten candidates whether they take its types, and makes
an error with a long text for each that does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from numba.core import types
from numba.core.compiler import Compiler
from numba.core.typed_passes import InlineOverloads, NopythonRewrites
from numba.core.untyped_passes import InlineClosureLikes

from finiex_ray.kernels.linking import KernelLibrary, PartLibrary, as_function

__all__ = ["KernelCompiler", "PartCompiler"]

_BUILTIN: Final[Any] = types.Function
_KNOWN: Final[dict[Any, Any]] = {}  # signatures by function and types of arguments
_UNUSED: Final = {InlineClosureLikes, InlineOverloads, NopythonRewrites}  # closures, and expressions over whole arrays


class _Compiler(Compiler):
    def compile_extra(self, func: Any) -> Any:
        with _remembered(self.state.typingctx):
            return super().compile_extra(func)


class KernelCompiler(_Compiler):
    """Compiles functions that Python calls."""

    def define_pipelines(self) -> Any:
        """As numba's, into another library."""
        state = self.state
        state.library = KernelLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        return super().define_pipelines()


class PartCompiler(_Compiler):
    """Compiles parts of kernels: loops over plain arrays and numbers."""

    def define_pipelines(self) -> Any:
        """As numba's, into another library, and shorter."""
        state = self.state
        state.library = PartLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        state.targetctx.get_executable = as_function  # of a copy of the context that is of this compilation alone
        pipelines = super().define_pipelines()
        for pipeline in pipelines:
            pipeline.passes = [each for each in pipeline.passes if each[0] not in _UNUSED]
            pipeline.finalize()
        return pipelines


@contextmanager
def _remembered(context: Any) -> Iterator[None]:
    """Within the block, what a builtin function gives for some types is found out once.

    What is implemented by functions that numba compiles for the occasion is asked for each time: it depends on more than types.

    Args:
        context: The typing context. numba holds its lock while it compiles.
    """
    if "resolve_function_type" in vars(context):  # a part, within its caller's block
        yield
        return
    resolve = context.resolve_function_type

    def resolved(function: Any, args: Any, kws: Any) -> Any:
        if type(function) is not _BUILTIN or kws or not hasattr(function, "_impl_keys"):
            return resolve(function, args, kws)
        key = (function.templates, tuple(args))
        found = _KNOWN.get(key)
        if found is None:
            found = resolve(function, args, kws)
            if found is not None and function._impl_keys.get(found.args) is function.typing_key:
                _KNOWN[key] = found
        else:
            function._impl_keys[found.args] = function.typing_key
        return found

    context.resolve_function_type = resolved
    try:
        yield
    finally:
        del context.resolve_function_type
