"""What the secretary has opened beside the running hearing. Data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ListenPanel:
    """Listening back; ``source`` is a microphone, None: everything; ``choosing`` one of them."""

    source: str | None = None
    choosing: bool = False
    page: int = 0


@dataclass(frozen=True)
class RemedyPanel:
    """What can be done about a microphone; without a name: which one."""

    name: str | None = None
    page: int = 0


@dataclass(frozen=True)
class SincePanel:
    """Since when it was closed already; ``chosen`` (``mark:3``, ``minutes:10``) is to be confirmed.

    ``since``: the moment that goes with ``minutes``, RFC 3339, fixed when it was chosen.
    """

    chosen: str = ""
    since: str = ""
    page: int = 0


Panel = ListenPanel | RemedyPanel | SincePanel
