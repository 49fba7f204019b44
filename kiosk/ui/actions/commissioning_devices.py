"""Which of several: the loudspeaker, chosen by its sound, and the scanner that SANE finds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from kiosk.config import Settings
from kiosk.errors import KioskError
from kiosk.hardware.audio.outputs import FoundOutput, find_outputs
from kiosk.hardware.scanner.listing import FoundScanner, find_scanners

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DevicesState:
    """What the screen shows.

    Attributes:
        kind: what is being chosen; empty: nothing.
        outputs, scanners: those that are there; None: they are being looked for.
        heard: address of the loudspeaker that has just been played.
        problem: alarm code of what did not work.
    """

    kind: Literal["", "outputs", "scanners"] = ""
    outputs: tuple[FoundOutput, ...] | None = None
    scanners: tuple[FoundScanner, ...] | None = None
    heard: str = ""
    problem: str = ""


class CommissioningDevices:
    """Looks for devices and plays the loudspeakers.

    Args:
        on_change: called after every change.

    Attributes:
        use: lets the kiosk's voice speak on a loudspeaker, given its address; empty: on the one
            that the room's settings name. It says which one it is, unless ``is_silent``.
    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._notify_change = on_change
        self.use: Callable[[str, bool], None] = lambda _address, _is_silent: None
        self.state = DevicesState()

    async def choose_output(self) -> None:
        """Look which loudspeakers are there."""
        self.state = DevicesState("outputs")
        self._notify_change()
        outputs = await asyncio.to_thread(find_outputs)
        if self.state.kind == "outputs":
            self._set(outputs=tuple(outputs))

    def try_output(self, address: str) -> None:
        """Let the loudspeaker say which one it is."""
        self.use(address, False)
        self._set(heard=address)

    async def choose_scanner(self, settings: Settings) -> None:
        """Look which scanners are there; it takes seconds."""
        self.state = DevicesState("scanners")
        self._notify_change()
        try:
            scanners = await find_scanners(settings.scanner.sane_config_dir)
        except KioskError as error:
            log.warning("scanners: %s", error)
            self._set(scanners=(), problem=error.code)
            return
        if self.state.kind == "scanners":
            self._set(scanners=tuple(scanners))

    def leave(self) -> None:
        """Choose nothing; the voice speaks where it did before."""
        if self.state.heard:
            self.use("", True)
        self.state = DevicesState()
        self._notify_change()

    def _set(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)
        self._notify_change()
