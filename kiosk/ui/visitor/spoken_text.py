"""What is spoken on each of the visitor's screens: the text that it shows, in order."""

from __future__ import annotations

from typing import Any

from kiosk.locale import Translator

#: Attributes of a view that are spoken, in this order, if the view has them.
SPOKEN_ATTRIBUTES = (
    "title",
    "kept",
    "label",
    "note",
    "answer",
    "number",
    "text",
    "detail",
    "reason",
)
DETAIL_ATTRIBUTES = ("lines", "explained", "until", "printer")


def spoken_text(screen: str, view: Any, translate: Translator) -> str:
    """Return the text to speak on ``screen``, or an empty text; never a person's name or IIN.

    Args:
        screen: its name.
        view: what it shows.
        translate: the translator, in the language on the screen.
    """
    _ = translate.gettext
    fixed = {
        "visitor.home": _("Hello! What would you like to do?"),
        "visitor.document_type": _("Choose document type"),
        "visitor.case": _("Is there a case already?"),
        "visitor.case_number": _("Case number"),
        "visitor.applicant": _("Who files?"),
        "visitor.originals": _("What does not fit the scanner?"),
        "visitor.summary": _("Hand in this document?"),
        "visitor.registering": _("Your document is being registered…"),
        "visitor.idle_warning": _("Are you still here?"),
        "visitor.leave_confirmation": _("Nothing has been handed in yet."),
    }
    if screen in fixed:
        answer = str(getattr(view, "answer", ""))
        return answer or fixed[screen]
    if not screen.startswith("visitor."):
        return ""
    parts = [str(getattr(view, name, "")) for name in SPOKEN_ATTRIBUTES]
    for name in DETAIL_ATTRIBUTES:
        value = getattr(view, name, "")
        parts += [value] if isinstance(value, str) else [str(line) for line in value]
    return ". ".join(part.strip(". ") for part in parts if part.strip())
