"""Base of the actions that take what is typed, by the screen's keys or by a keyboard."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from kiosk.ui.actions.recorder_actions import RecorderActions
from kiosk.ui.formatting import append_key


@dataclass(frozen=True)
class Typing:
    """Text that is being typed."""

    text: str = ""
    key_page: int = 0
    has_capitals: bool = False


class TypingActions(RecorderActions):
    """Actions with one text that may be being typed."""

    @property
    def typing(self) -> Typing | None:
        """What is being typed, if anything is."""
        raise NotImplementedError

    @property
    def _most_characters(self) -> int:
        raise NotImplementedError

    @property
    def _word_ends(self) -> str:
        """Characters after which the screen's keys send a capital; the first one always is."""
        return ""

    def _keep_typing(self, typing: Typing) -> None:
        raise NotImplementedError

    def _change_typing(self, **changes: Any) -> None:
        if self.typing is not None:
            self._keep_typing(replace(self.typing, **changes))

    def type(self, key: str) -> None:
        """Type a key of the screen, which sends capitals (``""``: delete the last)."""
        typing = self.typing
        if typing is not None:
            is_first = not typing.text or typing.text[-1] in self._word_ends
            self.type_text(key if typing.has_capitals or is_first else key.lower())

    def type_text(self, text: str) -> None:
        """Type characters as they are, from a keyboard (``""``: delete the last)."""
        if self.typing is not None:
            self._change_typing(text=append_key(self.typing.text, text, self._most_characters))

    def show_next_keys(self) -> None:
        """Show the next page of keys."""
        if self.typing is not None:
            self._change_typing(key_page=self.typing.key_page + 1)

    def toggle_capitals(self) -> None:
        """Switch capitals on or off."""
        if self.typing is not None:
            self._change_typing(has_capitals=not self.typing.has_capitals)
