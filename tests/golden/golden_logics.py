"""Logics of the golden runs that a script cannot state."""

from __future__ import annotations

from finiex_ray.core.enums import EventKind, Wake
from finiex_ray.decisions.scripted import Scripted, ScriptedParams
from finiex_ray.trading.api import TradingApi
from finiex_ray.trading.views import WakeUp

__all__ = ["MarginWatch"]


class MarginWatch(Scripted):
    """A script that answers its first margin call by closing its newest position, and logs all of them and every stop-out."""

    wake_on = Wake.ACTION | Wake.FILL

    def __init__(self, params: ScriptedParams) -> None:
        super().__init__(params)
        self._answered = False

    def execute(self, wake: WakeUp, trading: TradingApi) -> None:
        if wake.reason & Wake.ACTION:
            super().execute(wake, trading)
        told = [event.kind for event in trading.events]
        for kind in told:
            if kind in (EventKind.MARGIN_CALL, EventKind.STOP_OUT):
                self.log.warning(f"{kind.name.lower()} at equity {trading.equity:.2f}")
        if EventKind.MARGIN_CALL in told and trading.positions and not self._answered:
            self._answered = True
            trading.close(trading.positions[-1].position_id)
