"""How functions are compiled that only kernels call: each once, as a part of the kernels that call it.

numba makes every function a library of its own, with machine code and with everything that it calls: what lies ten calls
deep is optimised ten times, and machine code that nobody calls took a seventh of all the time. Here a part stays as it was
lowered; a kernel takes in all parts that it reaches, and LLVM optimises them there.
"""

from __future__ import annotations

from typing import Any

from llvmlite import binding as llvm
from numba import _dynfunc
from numba.core.codegen import JITCodeLibrary

__all__ = ["KernelLibrary", "PartLibrary", "as_function"]


class PartLibrary(JITCodeLibrary):
    """The code of one function, without what it calls and without machine code."""

    @classmethod
    def load(cls, codegen: Any, name: str, bitcode: bytes) -> PartLibrary:
        """What `save` gave."""
        library = cls(codegen, name)
        library._final_module = llvm.parse_bitcode(bitcode)
        library._finalized = True
        return library

    def save(self) -> bytes:
        """The function with all that it calls."""
        whole: bytes = self._get_module_for_linking().as_bitcode()
        return whole

    def finalize(self) -> None:
        """Lets each kernel have a copy of its own, and drop it where all calls are inlined."""
        self._raise_if_finalized()
        for library in self._linking_libraries:
            self._reload_init.update(library._reload_init)
        for function in self._final_module.functions:
            if not function.is_declaration and function.linkage == llvm.Linkage.external:
                function.linkage = "linkonce_odr"
        self._finalize_dynamic_globals()
        self._finalized = True

    def get_pointer_to_function(self, _: str) -> int:
        """There is no machine code."""
        return 0

    def _get_module_for_linking(self) -> Any:
        """With all that it calls, for callers that are no kernels of ours."""
        self._ensure_finalized()
        whole = self._final_module.clone()
        parts, others = _reached(self)
        for module in (*(part._final_module for part in parts), *(other._get_module_for_linking() for other in others)):
            whole.link_in(module, preserve=True)
        return whole


class KernelLibrary(JITCodeLibrary):
    """The code of a function that Python calls, with all parts that it reaches."""

    def finalize(self) -> None:
        """Takes the parts in, optimises everything, and makes machine code of it."""
        parts, others = _reached(self)
        for part in parts:
            self._reload_init.update(part._reload_init)
            self._final_module.link_in(part._final_module, preserve=True)
        self._linking_libraries = others
        super().finalize()


def _reached(library: Any) -> tuple[list[PartLibrary], list[Any]]:
    """The parts that a library needs, through others too, and the libraries that are numba's own."""
    found = {library: None}
    waiting = [library]
    while waiting:
        for each in waiting.pop()._linking_libraries:
            if each not in found:
                found[each] = None
                waiting += [each] if isinstance(each, PartLibrary) else []
    del found[library]
    parts = [each for each in found if isinstance(each, PartLibrary)]
    return parts, [each for each in found if not isinstance(each, PartLibrary)]


def as_function(library: Any, described: Any, environment: Any) -> Any:
    """The function as Python calls it; of a part what stands for it where numba wants one. In place of ``get_executable``.

    Args:
        library: The library that holds it.
        described: numba's ``FunctionDescriptor``.
        environment: Its constants that are Python objects.
    """
    library._ensure_finalized()
    return _dynfunc.make_function(
        described.lookup_module(),
        described.qualname.split(".")[-1],
        f"compiled wrapper for {described.qualname!r}",
        library.get_pointer_to_function(described.llvm_cpython_wrapper_name),
        environment,
        (library,),  # lives as long as the function
    )
