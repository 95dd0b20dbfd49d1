"""Machine code of functions as bytes, and the short way to call it in another process.

numba reads, whenever it loads a function, the form that other functions link as well, which takes ten times as long as
the machine code. A kernel is called from Python: its machine code, the address of its entry, and what the entry looks for are
all it needs. The rest is read when another function that is being compiled calls it.
"""

from __future__ import annotations

import ctypes
import pickle
import zlib
from functools import cache
from typing import Any, Final

from llvmlite import binding as llvm
from numba.core.codegen import JITCodeLibrary, RuntimeLinker
from numba.core.compiler import CompileResult
from numba.core.runtime import _nrt_python
from numba.core.serialize import dumps

from finiex_ray.kernels.linking import PartLibrary, as_function

__all__ = ["pack", "unpack"]

_CHECK_BYTES: Final = 4
_UNRESOLVED: Final = RuntimeLinker.PREFIX.encode()  # how functions that call each other find the later one
_KEPT: Final = ("fndesc", "environment", "signature", "objectmode", "lifted", "reload_init")


def pack(result: Any) -> bytes | None:
    """What `unpack` needs of a compiled function; None if it holds in this process alone: functions that call each other.

    Args:
        result: numba's ``CompileResult``.
    """
    library = result.library
    if isinstance(library, PartLibrary):
        code, linkable = b"", library.save()
    else:
        _, _, (code, linkable) = library.serialize_using_object_code()
    if _UNRESOLVED in code:
        return None
    result.fndesc.typemap = result.fndesc.calltypes = None  # of the compiler
    fields = {name: getattr(result, name) for name in _KEPT}
    fields["type_annotation"] = str(result.type_annotation)
    fields["referenced_envs"] = [each for each in result._find_referenced_environments() if each.consts]
    body: bytes = dumps((library.name, code, linkable, fields))
    return zlib.crc32(body).to_bytes(_CHECK_BYTES) + body


def unpack(data: bytes, context: Any) -> Any:
    """The compiled function, ready to be called; None if the bytes are damaged.

    Args:
        data: What `pack` gave, on a machine with the same processor.
        context: numba's target context.
    """
    check, body = data[:_CHECK_BYTES], data[_CHECK_BYTES:]
    if zlib.crc32(body).to_bytes(_CHECK_BYTES) != check:
        return None
    name, code, linkable, fields = pickle.loads(body)  # of a folder that is trusted with machine code
    described, environment = fields["fndesc"], fields["environment"]
    library: Any
    if code:
        for prepare in fields["reload_init"]:
            prepare()
        library = _LoadedLibrary(context.codegen(), name, code, linkable)
        for each in (environment, *fields["referenced_envs"]):
            library.set_environment(each)
    else:
        library = PartLibrary.load(context.codegen(), name, linkable)
    entry = as_function(library, described, environment)
    rest = dict.fromkeys(CompileResult._fields) | {"typing_context": context.typing_context, "target_context": context}
    return CompileResult(**{**rest, **fields, "library": library, "entry_point": entry})


class _LoadedLibrary(JITCodeLibrary):
    """Machine code in an engine of its own, where no other function's parts can be taken for its own."""

    def __init__(self, codegen: Any, name: str, code: bytes, linkable: bytes) -> None:
        super().__init__(codegen, name)
        self._linkable, self._module = linkable, None
        self._finalized = self._disable_inspection = True
        _add_runtime()
        machine = llvm.Target.from_default_triple().create_target_machine()
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(code))

    def get_pointer_to_function(self, name: str) -> int:
        """Address of a function; 0: there is none."""
        return int(self._engine.get_function_address(name))

    def set_environment(self, environment: Any) -> None:
        """Puts the constants that a function has as Python objects where its machine code looks for them."""
        place = self._engine.get_global_value_address(environment.env_name)
        if place:
            ctypes.c_void_p.from_address(place).value = id(environment)

    def _get_module_for_linking(self) -> Any:
        if self._module is None:
            self._module = llvm.parse_bitcode(self._linkable)
        return self._module


@cache
def _add_runtime() -> None:
    """Makes numba's runtime known to the engines; what is compiled of it, machine code has in itself."""
    for name, address in _nrt_python.c_helpers.items():
        llvm.add_symbol(name if name.startswith("_") else f"NRT_{name}", address)
