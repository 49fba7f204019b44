"""Actions of the side panels: close and reopen the hearing, listen back, microphone remedies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from kiosk.clocks import format_wall, wall_time
from kiosk.ui.actions.recorder_actions import RecorderActions


@dataclass(frozen=True)
class ListenPanel:
    """Listen back; ``source``: one microphone, None: all; ``choosing``: which microphone."""

    source: str | None = None
    choosing: bool = False
    page: int = 0


@dataclass(frozen=True)
class RemedyPanel:
    """Remedies for a microphone; without ``name`` the panel asks for the microphone."""

    name: str | None = None
    page: int = 0


@dataclass(frozen=True)
class ClosedSincePanel:
    """Closes the hearing back to a moment.

    ``chosen``: ``mark:3`` or ``minutes:10``, awaiting confirmation; empty: none yet.

    ``since``: the moment of ``minutes``, RFC 3339, fixed when it was chosen.
    """

    chosen: str = ""
    since: str = ""
    page: int = 0


@dataclass(frozen=True)
class DecisionPanel:
    """Decisions of the court on the format, on filming and broadcast.

    ``about``: ``format``, ``session`` or the kind of a permission; empty: which one is asked.
    ``opinions``: what the persons in the case said about that permission; empty: not asked yet.
    """

    about: str = ""
    opinions: str = ""
    page: int = 0


Panel = ListenPanel | RemedyPanel | ClosedSincePanel | DecisionPanel


class SidePanelActions(RecorderActions):
    """The open side panel, and the actions of its choices."""

    panel: Panel | None = None

    def show(self, panel: Panel | None) -> None:
        """Show ``panel``; None: close the open panel."""
        self.panel = panel
        self._notify_change()

    def show_page(self, page: int) -> None:
        """Show another page of choices."""
        if self.panel is not None:
            self.show(replace(self.panel, page=page))

    # -- closed and open -----------------------------------------------------------------------

    async def close_hearing(self) -> None:
        """Close the hearing from now on; the ground is asked afterwards."""
        self.panel = None
        await self._post("/v1/hearing/close")

    async def reopen_hearing(self) -> None:
        """Reopen the hearing to the public."""
        self.panel = None
        await self._post("/v1/hearing/open")

    # -- listening -----------------------------------------------------------------------------

    async def stop_listening(self) -> None:
        """Stop the playback in the headset."""
        await self._call("DELETE", "/v1/hearing/listen", {})

    # -- choices of the panels -----------------------------------------------------------------

    async def choose(self, choice: str) -> None:
        """Carry out ``choice`` of the open panel."""
        match self.panel:
            case ListenPanel() as panel:
                await self._choose_listen(panel, choice)
            case RemedyPanel() as panel:
                await self._choose_remedy(panel, choice)
            case ClosedSincePanel() as panel:
                await self._choose_closed_since(panel, choice)
            case DecisionPanel() as panel:
                await self._choose_decision(panel, choice)
            case None:
                pass

    async def _choose_listen(self, panel: ListenPanel, choice: str) -> None:
        kind, _, value = choice.partition(":")
        if kind == "one":
            self.show(ListenPanel(choosing=True))
        elif kind == "source":
            self.show(ListenPanel(source=value or None))
        elif kind == "said":
            source, begin, seconds = value.rsplit(":", 2)
            body = {"source": source, "part_seconds": float(begin), "seconds": float(seconds)}
            if await self._post("/v1/hearing/listen", **body):
                self.show(None)
        elif kind == "seconds":
            body = {"seconds": int(value), **({"source": panel.source} if panel.source else {})}
            if await self._post("/v1/hearing/listen", **body):
                self.show(None)

    async def _choose_remedy(self, panel: RemedyPanel, choice: str) -> None:
        kind, _, target = choice.partition(":")
        if kind == "source":
            self.show(RemedyPanel(target))
        elif kind == "which":
            self.show(RemedyPanel())
        elif panel.name:
            body = {"source": panel.name, "remedy": kind, **({"to": target} if target else {})}
            if await self._post("/v1/hearing/remedies", **body):
                self.show(None)

    async def _choose_closed_since(self, panel: ClosedSincePanel, choice: str) -> None:
        kind, _, value = choice.partition(":")
        if kind == "minutes":
            since = format_wall(wall_time() - timedelta(minutes=int(value)))
            self.show(ClosedSincePanel(choice, since))
        elif kind == "mark":
            self.show(ClosedSincePanel(choice))
        elif kind == "cancel":
            self.show(ClosedSincePanel())
        elif kind == "confirm" and panel.chosen:
            chosen, _, number = panel.chosen.partition(":")
            is_mark = chosen == "mark"
            body: dict[str, Any] = {"mark": int(number)} if is_mark else {"since": panel.since}
            if await self._post("/v1/hearing/close-since", **body):
                self.show(None)

    async def _choose_decision(self, panel: DecisionPanel, choice: str) -> None:
        kind, _, value = choice.partition(":")
        if kind == "about":
            self.show(DecisionPanel(value))
        elif kind == "opinions":
            self.show(replace(panel, opinions=value))
        elif kind == "format":
            await self._decide("format", value)
        elif kind == "session":
            await self._decide("session", value)
        elif kind == "permission" and panel.opinions:
            allowed = value == "allow"
            said = {"kind": panel.about, "opinions": panel.opinions, "allowed": allowed}
            await self._decide("permission", said)

    async def _decide(self, subject: str, value: Any) -> None:
        if await self._post("/v1/hearing/statements", subject=subject, value=value):
            self.show(None)
