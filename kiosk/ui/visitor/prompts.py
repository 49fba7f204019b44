"""What is said aloud on each visitor's screen: the words that stand there, in their order."""

from __future__ import annotations

from typing import Any

from kiosk.locale import Translator

#: Attributes of a view that are said, in this order, where the view has them.
_SAID = ("title", "kept", "label", "told", "answer", "number", "text", "detail", "reason")
_MORE = ("lines", "explained", "until", "printer")


def prompt_of(screen: str, view: Any, say: Translator) -> str:
    """Return what is to be said on ``screen``; empty for nothing. Never a person's name or IIN.

    Args:
        screen: its name.
        view: what it shows.
        say: the translator, in the language on the screen.
    """
    _ = say.gettext
    fixed = {
        "visitor.home": _("Hello! What would you like to do?"),
        "visitor.type": _("Choose document type"),
        "visitor.case": _("Is there a case already?"),
        "visitor.number": _("Case number"),
        "visitor.who": _("Who files?"),
        "visitor.originals": _("What does not fit the scanner?"),
        "visitor.confirm": _("Hand in this document?"),
        "visitor.registering": _("Your document is being registered…"),
        "visitor.idle": _("Are you still here?"),
        "visitor.leave": _("Nothing has been handed in yet."),
    }
    if screen in fixed:
        answer = str(getattr(view, "answer", ""))
        return answer or fixed[screen]
    if not screen.startswith("visitor."):
        return ""
    parts = [str(getattr(view, name, "")) for name in _SAID]
    for name in _MORE:
        value = getattr(view, name, "")
        parts += [value] if isinstance(value, str) else [str(line) for line in value]
    return ". ".join(part.strip(". ") for part in parts if part.strip())
