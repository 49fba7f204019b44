"""What the display in the hall knows: the newest view of the recorder, and how old it is."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from kiosk.api.base import read_leniently
from kiosk.api.hall import HallView
from kiosk.config import HallSettings
from kiosk.locale import Language

log = logging.getLogger(__name__)


class HallState:
    """The newest view, and the turn of the languages.

    A view that cannot be read, or of which only a part can, does not count as news.

    Args:
        settings: ``[hall]``.
        now: monotonic seconds.
    """

    def __init__(self, settings: HallSettings, now: Callable[[], float] = time.monotonic) -> None:
        self.settings, self._now = settings, now
        self._view: HallView | None = None
        self._heard_at = self._began = now()

    def handle_event(self, name: str, value: Any) -> None:
        """Take an event of the recorder's view.

        Raises:
            pydantic.ValidationError: it cannot be read.
        """
        if name != "hall":
            return
        view, problems = read_leniently(HallView, value)
        if problems:
            log.error("the view for the hall cannot be read: %s", "; ".join(problems))
            return
        self._view, self._heard_at = view, self._now()

    @property
    def view(self) -> HallView | None:
        """The newest view, also an old one; None: none was heard yet."""
        return self._view

    @property
    def is_stale(self) -> bool:
        """Whether nobody knows whether the view still holds."""
        return self._view is None or self._now() - self._heard_at > self.settings.stale_seconds

    @property
    def _turn(self) -> int:
        return int((self._now() - self._began) // self.settings.language_seconds)

    @property
    def language(self) -> Language:
        """The language whose turn it is."""
        return self.settings.languages[self._turn % len(self.settings.languages)]

    @property
    def round(self) -> int:
        """How many times each language has had its turn; each page of the list stays for one."""
        return self._turn // len(self.settings.languages)
