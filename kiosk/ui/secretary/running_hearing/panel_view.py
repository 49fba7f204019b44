"""What a side panel of the running hearing shows: title, sentence, choices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Style = Literal["plain", "primary", "danger"]


@dataclass(frozen=True)
class Choice:
    """One button of a panel; ``id`` is what :meth:`SidePanelActions.choose` understands."""

    id: str
    label: str
    icon: str = ""
    style: Style = "plain"


@dataclass(frozen=True)
class PanelView:
    """A panel: title, a sentence or two, choices."""

    title: str
    text: str
    choices: tuple[Choice, ...]
    page: int = 0
    is_confirmation: bool = False
