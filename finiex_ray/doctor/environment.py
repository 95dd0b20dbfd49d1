"""Variables of the environment that change how a run goes, often without anyone's intent."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from finiex_ray.doctor.finding import Finding, Verdict

__all__ = ["check_environment"]

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_UV_SWITCH: Final = "RAY_ENABLE_UV_RUN_RUNTIME_ENV"
_PROXIES: Final = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "grpc_proxy")


def check_environment(variables: Mapping[str, str], home: Path) -> list[Finding]:
    """Looks for traps; one line that says so where there are none.

    Args:
        variables: The environment.
        home: The home folder, in which Ray keeps its token.
    """
    found = list(_traps(variables, home))
    return found or [Finding("environment", Verdict.OK, "nothing that would change how a run goes")]


def _trap(found: str, mend: str, verdict: Verdict = Verdict.WARN) -> Finding:
    return Finding("environment", verdict, found, mend)


def _traps(variables: Mapping[str, str], home: Path) -> Iterator[Finding]:
    if address := variables.get("RAY_ADDRESS"):
        yield _trap(
            f"RAY_ADDRESS={address}: runs with --executor auto or ray go to that cluster",
            "unset RAY_ADDRESS, or say --executor local",
        )
        if address.startswith("ray://"):
            yield _trap(
                "RAY_ADDRESS names Ray Client, which cannot stream results", "give host:port, or use finiex-ray submit"
            )
    if "UV_RUN_RECURSION_DEPTH" in variables and variables.get(_UV_SWITCH, "1") != "0":
        yield _trap(
            "started by 'uv run': Ray makes a new environment from the project for its processes, which takes long or fails",
            f"set {_UV_SWITCH}=0, or start the environment's own finiex-ray",
        )
    if variables.get("RAY_RUNTIME_ENV_HOOK"):
        yield _trap(
            f"RAY_RUNTIME_ENV_HOOK={variables['RAY_RUNTIME_ENV_HOOK']} changes the environment of Ray's processes",
            "unset it",
        )
    if variables.get("RAY_AUTH_MODE", "token").lower() == "disabled":
        yield _trap(
            "RAY_AUTH_MODE=disabled: whoever reaches a Ray's ports can run code on it", "unset it, unless you mean it"
        )
    yield from _token(variables, home)
    if variables.get("DEBUG_MODE", "").strip():
        yield _trap(
            f"DEBUG_MODE={variables['DEBUG_MODE']} decides whether a debugger counts as attached", "unset DEBUG_MODE"
        )
    if variables.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"):
        yield _trap(
            "NUMBA_DISABLE_JIT is set: kernels run as plain Python, a thousand times slower", "unset NUMBA_DISABLE_JIT"
        )
    proxies = [name for name in _PROXIES if variables.get(name)]
    exempt = variables.get("no_proxy", "") + variables.get("NO_PROXY", "")
    if proxies and "127.0.0.1" not in exempt:
        yield _trap(
            f"{', '.join(proxies)}: connections of Ray on this machine may go through the proxy",
            "set no_proxy=127.0.0.1,localhost",
        )


def _token(variables: Mapping[str, str], home: Path) -> Iterator[Finding]:
    path = Path(variables.get("RAY_AUTH_TOKEN_PATH") or home / ".ray" / "auth_token")
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        if variables.get("RAY_AUTH_TOKEN_PATH"):
            yield _trap(
                f"RAY_AUTH_TOKEN_PATH={path}: there is no such file; a Ray that is started here makes it",
                "check the path",
            )
        return
    except OSError as error:
        yield _trap(
            f"Ray's token {path} cannot be read ({error.strerror})",
            "name another file with RAY_AUTH_TOKEN_PATH",
            Verdict.FAIL,
        )
        return
    if os.name == "posix" and mode & _OTHERS:
        yield _trap(f"others can read Ray's token {path}", f"chmod 600 {path}")
