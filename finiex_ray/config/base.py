"""The base of all configuration models, and the types that several of them share."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, StringConstraints

__all__ = ["Currency", "Model", "Moment", "Name", "Real", "Symbol"]

# No path, and no formula where a table of names is opened in a spreadsheet.
Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f/\\=+\-@][^\x00-\x1f\x7f/\\]*$"),
]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{2,12}$")]
Symbol = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._#+-]{0,31}$")]


_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,6})?)? *(?P<zone>[Zz]|[+-]\d\d:?\d\d)?")


def _moment(value: Any) -> Any:
    """Lets through ISO 8601 times with a zone only: pydantic alone takes numbers and cuts nanoseconds off."""
    if isinstance(value, datetime):
        return _in_years(value, value.year)
    found = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("must be an ISO 8601 time with a zone, for example 2025-09-25T14:00:00Z (at most 6 decimals)")
    if found["zone"] is None:
        raise ValueError(f"has no time zone; add one, for example {value}Z")
    clock = value[11:].replace(" ", "")
    return _in_years(f"{value[:10]}T{clock}", int(value[:4]))


def _in_years(value: Any, year: int) -> Any:
    if not 1970 <= year <= 2200:  # well inside the int64 nanoseconds of rule R1
        raise ValueError("must lie in the years 1970 to 2200")
    return value


def _real(value: Any) -> Any:
    """Lets through numbers only: pydantic alone takes true and strings for floats."""
    if isinstance(value, bool | str | bytes):
        raise ValueError("must be a number")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]
Real = Annotated[float, BeforeValidator(_real)]


class Model(BaseModel):
    """Base of all configuration models: frozen, unknown keys refused, NaN and infinity refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=False, validate_default=True)
