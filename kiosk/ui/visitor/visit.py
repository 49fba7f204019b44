"""One visitor's way through the screens, in plain asyncio."""

from __future__ import annotations

from collections.abc import Callable

from kiosk.ui.places import AtHome, Calling, ChoosingType, Listing, Tracking, VisitPlace


class Visit:
    """What the visitor has done so far; wiped as a whole.

    Args:
        on_change: called after every change.
    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._changed = on_change
        self.place: VisitPlace = AtHome()
        self.leaving = False

    def go(self, place: VisitPlace) -> None:
        """Change the place."""
        self.place = place
        self._changed()

    def begin_filing(self) -> None:
        """Hand in documents: choose the type first."""
        self.go(ChoosingType())

    def begin_tracking(self) -> None:
        """Ask where a document is."""
        self.go(Tracking())

    def list_hearings(self) -> None:
        """Show today's hearings."""
        self.go(Listing())

    def call_secretary(self) -> None:
        """Call the secretary."""
        self.go(Calling())

    def ask_home(self) -> None:
        """Go to the first screen; asks first when pages would be lost."""
        self.go(AtHome())
