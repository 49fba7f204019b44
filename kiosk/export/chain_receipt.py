"""The chain receipt for the parties: the newest signed head of the hearing's chain.

It is printed at a recess and at the end. It proves later that nothing recorded until then was
changed: ``kiosk verify --slip``. It is drawn dot by dot, because receipt printers lack the Kazakh
letters.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from PIL import Image

from kiosk import fonts
from kiosk.api.exports import ChainReceipt
from kiosk.errors import RecordingError
from kiosk.evidence.chain import read_chain
from kiosk.evidence.seal import is_sealed
from kiosk.filing.printing.raster_page import RasterPage
from kiosk.locale import Translator
from kiosk.recording.journal.hearing_journal import load_hearing
from kiosk.recording.verify.slip import latest_head, slip_code
from kiosk.storage.hearing_folder import JOURNAL_FILE

_QR_SHARE = 0.62


def read_chain_receipt(folder: Path) -> ChainReceipt:
    """Return the chain receipt of the hearing in ``folder``, which may still be open.

    Raises:
        RecordingError: nothing is signed yet (``slip_none``), or the journal is broken.
    """
    chain = read_chain(folder / JOURNAL_FILE)
    if chain.problem:
        raise RecordingError(f"{folder}: the journal {chain.problem}", code="journal_broken")
    newest = latest_head(chain.entries)
    if newest is None:
        raise RecordingError("nothing of this hearing is signed yet", code="slip_none")
    head, signed_at = newest
    hearing = load_hearing(folder)
    hearing_id, case = str(hearing["id"]), str(hearing.get("case_number") or "")
    code = slip_code(hearing_id, head)
    return ChainReceipt(
        hearing_id=hearing_id,
        case_number=case,
        count=head.count,
        hash=head.hash,
        groups=tuple(head.hash[at : at + 4] for at in range(0, len(head.hash), 4)),
        signed_at=signed_at,
        code=code,
        sealed=is_sealed(folder),
    )


def render_chain_receipt(
    receipt: ChainReceipt, translate: Translator, *, court: str, zone: ZoneInfo, width: int = 576
) -> Image.Image:
    """Return the receipt as black dots on white (mode ``1``); ``width`` dots across the paper."""
    _ = translate
    moment = datetime.fromisoformat(receipt.signed_at).astimezone(zone)
    case = [_("Case {number}", number=receipt.case_number)] if receipt.case_number else []
    groups = receipt.groups
    page = RasterPage(width, width / 576, centred=True)
    page.draw_text(court, 30, fonts.SEMI_BOLD)
    for line in (_("Record of the hearing"), *case):
        page.draw_text(line, 28, fonts.MEDIUM)
    page.draw_text(_("Signed at {moment}", moment=moment.strftime("%d.%m.%Y %H:%M:%S")), 24)
    page.draw_text(_("Lines of the journal: {n}", n=receipt.count), 24)
    for row in range(0, len(groups), 4):
        page.draw_text(" ".join(groups[row : row + 4]), 32, fonts.TABULAR_MEDIUM)
    page.draw_qr_code(receipt.code, _QR_SHARE)
    page.draw_text(
        _(
            "Keep this slip. With it anybody can check later that nothing recorded until this "
            "moment was changed."
        ),
        22,
    )
    return page.render()
