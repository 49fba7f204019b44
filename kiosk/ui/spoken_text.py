"""The text that is spoken on a visitor's screen: what the screen shows, in order."""

from __future__ import annotations

from typing import Any

#: Attributes of a view that are spoken, in this order. A view that shows more than may be heard
#: (names, numbers of persons) gives the text as ``spoken``, or has none of these but a title.
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
    "lines",
    "explained",
    "until",
    "printer",
)


def spoken_text(view: Any) -> str:
    """Return the text to speak for ``view``, or an empty text; never a person's name or IIN."""
    if hasattr(view, "spoken"):
        return str(view.spoken)
    parts: list[str] = []
    for name in SPOKEN_ATTRIBUTES:
        value = getattr(view, name, "")
        parts += [value] if isinstance(value, str) else map(str, value)
    return ". ".join(part.strip(". ") for part in parts if part.strip())
