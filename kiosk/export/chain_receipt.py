"""The slip for the parties: where the hearing's chain stands, at a recess and at the end.

Whoever keeps it can show later that nothing recorded until then was changed: ``kiosk verify
--slip``. It is drawn dot by dot, because receipt printers lack the Kazakh letters.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import segno
from PIL import Image, ImageDraw, ImageFont

from kiosk import fonts
from kiosk.errors import RecordingError
from kiosk.evidence.chain import read_chain
from kiosk.evidence.seal import is_sealed
from kiosk.locale import Translator
from kiosk.recording.journal.hearing_journal import hearing_of
from kiosk.recording.verify.slip import newest_head, slip_code
from kiosk.storage.hearing_folder import JOURNAL

_QR_SHARE = 0.6
_MARGIN = 16


@dataclass(frozen=True)
class Slip:
    """What stands on a slip.

    Attributes:
        count, hash: of the newest signed head of the hearing's own chain.
        signed_at: wall time of the signature, RFC 3339.
        code: what the QR code holds, for ``kiosk verify --slip``.
        sealed: the hearing is ended and sealed.
    """

    hearing_id: str
    case_number: str
    count: int
    hash: str
    signed_at: str
    code: str
    sealed: bool

    def as_json(self) -> dict[str, Any]:
        """Return it as data, the hash in groups of four, too."""
        groups = [self.hash[at : at + 4] for at in range(0, len(self.hash), 4)]
        return {**self.__dict__, "groups": groups}


def read_slip(folder: Path) -> Slip:
    """Return the slip of the hearing in ``folder``, which may still be open.

    Raises:
        RecordingError: nothing is signed yet (``slip_none``), or the journal is broken.
    """
    chain = read_chain(folder / JOURNAL)
    if chain.problem:
        raise RecordingError(f"{folder}: the journal {chain.problem}", code="journal_broken")
    found = newest_head(chain.entries)
    if found is None:
        raise RecordingError("nothing of this hearing is signed yet", code="slip_none")
    head, at = found
    hearing = hearing_of(folder)
    hearing_id, case = str(hearing["id"]), str(hearing.get("case_number") or "")
    code = slip_code(hearing_id, head)
    return Slip(hearing_id, case, head.count, head.hash, at, code, is_sealed(folder))


def draw_slip(
    slip: Slip, translate: Translator, *, court: str, zone: ZoneInfo, width: int = 576
) -> Image.Image:
    """Return the slip as black dots on white (mode ``1``); ``width`` dots across the paper."""
    _ = translate
    moment = datetime.fromisoformat(slip.signed_at).astimezone(zone)
    case = [_("Case {number}", number=slip.case_number)] if slip.case_number else []
    groups = slip.as_json()["groups"]
    paper = _Paper(width)
    paper.text(court, 30, fonts.SEMI_BOLD)
    for line in (_("Record of the hearing"), *case):
        paper.text(line, 28, fonts.MEDIUM)
    paper.text(_("Signed at {moment}", moment=moment.strftime("%d.%m.%Y %H:%M:%S")), 24)
    paper.text(_("Lines of the journal: {n}", n=slip.count), 24)
    for row in range(0, len(groups), 4):
        paper.text(" ".join(groups[row : row + 4]), 32, fonts.TABULAR_MEDIUM)
    paper.code(slip.code)
    paper.text(
        _(
            "Keep this slip. With it anybody can check later that nothing recorded until this "
            "moment was changed."
        ),
        22,
    )
    return paper.cut()


class _Paper:
    """A roll of paper that is written from top to bottom."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._rows: list[Image.Image] = []

    def text(self, text: str, size: int, face: Path = fonts.REGULAR) -> None:
        """Write ``text`` in the middle, in as many lines as it needs."""
        font = ImageFont.truetype(str(face), round(size * self._width / 576))
        line = ""
        for word in [*text.split(), ""]:
            longer = f"{line} {word}".strip()
            if word and font.getlength(longer) <= self._width - 2 * _MARGIN:
                line = longer
                continue
            row = Image.new("1", (self._width, round(size * 1.4 * self._width / 576)), 1)
            ImageDraw.Draw(row).text((self._width // 2, 0), line, font=font, fill=0, anchor="ma")
            self._rows.append(row)
            line = word

    def code(self, text: str) -> None:
        """Draw a QR code."""
        code = segno.make(text, micro=False, error="m")
        dots = max(2, int(self._width * _QR_SHARE) // code.symbol_size(border=4)[0])
        cells = [bytes(row) for row in code.matrix_iter(scale=dots, border=4)]
        row = Image.new("1", (self._width, len(cells)), 1)
        left = (self._width - len(cells[0])) // 2
        for y, line in enumerate(cells):
            for x, dark in enumerate(line):
                if dark:
                    row.putpixel((left + x, y), 0)
        self._rows.append(row)

    def cut(self) -> Image.Image:
        """Return everything that was written."""
        image = Image.new("1", (self._width, sum(row.height for row in self._rows)), 1)
        y = 0
        for row in self._rows:
            image.paste(row, (0, y))
            y += row.height
        return image
