"""Draws the ticket of a parked filing; only its code opens the filing again.

The code has 80 random bits and is not stored on the device. The filing's key is beside the pages,
wrapped under a key that scrypt derives from the code.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime

from PIL import Image

from kiosk import fonts
from kiosk.filing.printing.raster_page import RasterPage
from kiosk.locale import Translator

#: Digits and letters without look-alikes (Crockford's base 32).
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CODE_LENGTH = 16
_CODE_PREFIX = "KIOSK-TICKET:"
_LOOKALIKES = str.maketrans(
    {
        "O": "0",
        "I": "1",
        "L": "1",
        "О": "0",
        "І": "1",
        "А": "A",
        "В": "B",
        "С": "C",
        "Е": "E",
        "Н": "H",
        "К": "K",
        "М": "M",
        "Р": "P",
        "Т": "T",
        "Х": "X",
    }
)


@dataclass(frozen=True)
class Ticket:
    """A visitor's ticket to continue later.

    Attributes:
        filing_id: the parked filing.
        code: the code to type, in groups of four.
        expires_at: time when the filing is wiped, in the court's time zone.
        png: picture for the screen, if it cannot be printed.
    """

    filing_id: str
    code: str
    expires_at: datetime
    png: bytes

    def __repr__(self) -> str:
        return f"Ticket({self.filing_id})"  # keeps the code out of logs


def new_code() -> str:
    """Return a new code, without dashes."""
    return "".join(secrets.choice(ALPHABET) for _ in range(_CODE_LENGTH))


def format_code(code: str) -> str:
    """Return the code in groups of four."""
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


def normalise_code(text: str) -> str | None:
    """Return the code in a scanned or typed ``text``, or None.

    Look-alike letters (also Cyrillic ones), case, spaces and dashes are ignored.
    """
    text = text.strip().upper().removeprefix(_CODE_PREFIX)
    code = re.sub(r"[\s-]", "", text).translate(_LOOKALIKES)
    return code if len(code) == _CODE_LENGTH and set(code) <= set(ALPHABET) else None


def draw_ticket(
    code: str, until: datetime, court: str, room: str, translate: Translator, *, width: int = 576
) -> Image.Image:
    """Return the ticket as black dots on white (mode ``1``).

    Args:
        code: code without dashes.
        until: expiry, in the court's time zone.
        court: name of the court, in the visitor's language.
        room: number of the courtroom.
        translate: translator in the visitor's language.
        width: dots across the paper.
    """
    _ = translate
    paper = RasterPage(width, scale=width / 576)
    paper.draw_text(court, 30, fonts.SEMI_BOLD)
    paper.draw_text(_("Courtroom {room}", room=room), 26)
    paper.draw_rule()
    paper.draw_text(_("Unfinished document"), 34, fonts.SEMI_BOLD)
    paper.draw_text(_("It is kept, and not handed in yet."), 26)
    paper.draw_qr_code(f"{_CODE_PREFIX}{code}")
    paper.draw_text(_("Hold this code before the reader of this kiosk to go on, or type it:"), 24)
    paper.draw_number(format_code(code))
    paper.draw_rule()
    paper.draw_text(_("Kept until {time}", time=f"{until:%d.%m.%Y %H:%M}"), 30, fonts.MEDIUM)
    paper.draw_text(_("Then it is deleted. Without this ticket nobody can open it."), 24)
    return paper.render()
