"""The side panels that the secretary can open beside the running hearing (data only)."""

from __future__ import annotations

from dataclasses import dataclass


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


Panel = ListenPanel | RemedyPanel | ClosedSincePanel
