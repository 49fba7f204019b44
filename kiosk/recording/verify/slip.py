"""The code on an integrity slip: the head of the hearing's chain when the slip was printed.

``kiosk-head:<hearing id>:<count>:<hash>``: ``count`` entries of the hearing's own journal, the last
of which has the SHA-256 ``hash``. The journal's ``part_sealed`` entries carry the heads of the
parts, so that the slip reveals any later change of a part that was sealed before.
"""

from __future__ import annotations

import re
from pathlib import Path

from kiosk.errors import RecordingError
from kiosk.evidence.chain import ChainHead, Entry, read_chain
from kiosk.recording.verify.report import VerifyReport
from kiosk.storage.hearing_folder import JOURNAL_FILE

_CODE_PATTERN = re.compile(r"kiosk-head:([0-9a-f-]{36}):([0-9]{1,9}):([0-9a-f]{64})")


def slip_code(hearing_id: str, head: ChainHead) -> str:
    """Return the code for ``head`` of the hearing's own chain."""
    return f"kiosk-head:{hearing_id}:{head.count}:{head.hash}"


def parse_slip(code: str) -> tuple[str, ChainHead]:
    """Return hearing id and head of a ``code``, ignoring spaces and case.

    Raises:
        RecordingError: it is no such code (``slip_malformed``).
    """
    found = _CODE_PATTERN.fullmatch("".join(code.split()).lower())
    if found is None:
        raise RecordingError("this is not the code of a slip", code="slip_malformed")
    return found[1], ChainHead(int(found[2]), found[3])


def latest_head(entries: list[Entry]) -> tuple[ChainHead, str] | None:
    """Return the latest signed head that covers a sealed part and no unsealed one.

    Args:
        entries: of the hearing's own journal.

    Returns:
        the head and the wall time at which it was signed; None: no part is sealed yet.
    """
    unsealed: set[int] = set()
    has_part, found = False, None
    for entry in entries:
        if entry["kind"] == "part_opened":
            unsealed.add(int(entry["part"]))
        elif entry["kind"] == "part_sealed":
            unsealed.discard(int(entry["part"]))
            has_part = True
        elif entry["kind"] == "head" and has_part and not unsealed:
            found = ChainHead(int(entry["count"]), str(entry["hash"])), str(entry["at"])
    return found


def check_slip(folder: Path, code: str, report: VerifyReport) -> None:
    """Check that the hearing in ``folder`` continues the chain whose end is on the slip.

    Raises:
        RecordingError: the code is malformed.
    """
    hearing_id, head = parse_slip(code)
    if not (folder / JOURNAL_FILE).is_file():
        report.add("journal_missing", JOURNAL_FILE)
        return
    chain = read_chain(folder / JOURNAL_FILE)
    first = chain.entries[0] if chain.entries else {}
    if first.get("hearing") != hearing_id:
        report.add("slip_other", JOURNAL_FILE, "another hearing")
    elif not 0 < head.count <= len(chain.hashes):
        report.add(
            "slip_other", JOURNAL_FILE, f"it has {len(chain.hashes)} lines, not {head.count}"
        )
    elif chain.hashes[head.count - 1] != head.hash:
        report.add("slip_other", JOURNAL_FILE, f"another line {head.count}")
