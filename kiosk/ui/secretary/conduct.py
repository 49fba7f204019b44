"""Taps beside the usual course of a hearing: close, open, listen back, mend a microphone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Protocol

from kiosk.clocks import wall_text, wall_time
from kiosk.ui.secretary.panels import ListenPanel, Panel, RemedyPanel, SincePanel


class Step(Protocol):
    """Calls the recorder; errors are shown. Answers whether it was done."""

    def __call__(
        self, path: str, body: dict[str, Any] | None = None, *, method: str = "POST"
    ) -> Awaitable[bool]:
        """Call ``path``."""


class Conduct:
    """What is open beside the hearing, and what its choices do.

    Args:
        step: calls the recorder.
        on_change: called after every change.
    """

    def __init__(self, step: Step, on_change: Callable[[], None]) -> None:
        self._step, self._changed = step, on_change
        self.panel: Panel | None = None

    def open(self, panel: Panel | None) -> None:
        """Open ``panel``; None: close what is open."""
        self.panel = panel
        self._changed()

    def turn(self, page: int) -> None:
        """Show another page of choices."""
        if self.panel is not None:
            self.open(replace(self.panel, page=page))

    # -- closed and open -----------------------------------------------------------------------

    async def close(self) -> None:
        """Close the hearing from now on; the ground is asked afterwards."""
        self.panel = None
        await self._step("/v1/hearing/close", {})

    async def reopen(self) -> None:
        """Go on openly: the decision is announced."""
        self.panel = None
        await self._step("/v1/hearing/open", {})

    # -- listening -----------------------------------------------------------------------------

    async def stop_listening(self) -> None:
        """End what plays in the headset."""
        await self._step("/v1/hearing/listen", method="DELETE")

    # -- choices of the panels -----------------------------------------------------------------

    async def choose(self, choice: str) -> None:
        """Do what ``choice`` of the open panel says."""
        match self.panel:
            case ListenPanel() as panel:
                await self._listen(panel, choice)
            case RemedyPanel() as panel:
                await self._remedy(panel, choice)
            case SincePanel() as panel:
                await self._since(panel, choice)
            case None:
                pass

    async def _listen(self, panel: ListenPanel, choice: str) -> None:
        kind, _, value = choice.partition(":")
        if kind == "one":
            self.open(ListenPanel(choosing=True))
        elif kind == "source":
            self.open(ListenPanel(source=value or None))
        elif kind == "seconds":
            body: dict[str, Any] = {"seconds": int(value)}
            if panel.source:
                body["source"] = panel.source
            if await self._step("/v1/hearing/listen", body):
                self.open(None)

    async def _remedy(self, panel: RemedyPanel, choice: str) -> None:
        kind, _, target = choice.partition(":")
        if kind == "source":
            self.open(RemedyPanel(target))
        elif kind == "which":
            self.open(RemedyPanel())
        elif panel.name:
            body = {"source": panel.name, "remedy": kind, **({"to": target} if target else {})}
            if await self._step("/v1/hearing/remedies", body):
                self.open(None)

    async def _since(self, panel: SincePanel, choice: str) -> None:
        kind, _, value = choice.partition(":")
        if kind == "minutes":
            since = wall_text(wall_time() - timedelta(minutes=int(value)))
            self.open(SincePanel(choice, since))
        elif kind == "mark":
            self.open(SincePanel(choice))
        elif kind == "cancel":
            self.open(SincePanel())
        elif kind == "confirm" and panel.chosen:
            chosen, _, number = panel.chosen.partition(":")
            body: dict[str, Any] = (
                {"mark": int(number)} if chosen == "mark" else {"since": panel.since}
            )
            if await self._step("/v1/hearing/close-since", body):
                self.open(None)
