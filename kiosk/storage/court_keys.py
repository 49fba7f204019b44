"""The court's two age recipients, pinned at enrolment: who can open closed parts, besides nobody.

``identity/court.age`` and ``identity/escrow.age`` are text files as ``age -R`` reads them: one
public key (``age1…``), comments after ``#``. The private keys are the court's and never here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyrage

from kiosk.clocks import wall_text
from kiosk.errors import RecordingError
from kiosk.storage.atomic_io import make_folder, write_json, write_text
from kiosk.storage.paths import Layout

COURT, ESCROW = "court", "escrow"


class CourtKeyError(RecordingError):
    """The court's keys are not pinned: nothing can be closed to all but the court."""

    code = "court_key_missing"
    status = 409


@dataclass(frozen=True)
class CourtKeys:
    """The two recipients, as text (``age1…``)."""

    court: str
    escrow: str

    def recipients(self) -> list[pyrage.x25519.Recipient]:
        """Return both, ready to encrypt to."""
        return [pyrage.x25519.Recipient.from_str(one) for one in (self.court, self.escrow)]


def read_recipient(path: Path) -> str:
    """Return the one recipient in a file.

    Raises:
        CourtKeyError: there is none, or it is no age recipient.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CourtKeyError(f"{path}: cannot be read") from error
    keys = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if len(keys) != 1:
        raise CourtKeyError(f"{path}: {len(keys)} recipients, one is needed")
    return checked(keys[0])


def checked(recipient: str) -> str:
    """Return ``recipient`` if it is an X25519 age recipient.

    Raises:
        CourtKeyError: it is not.
    """
    try:
        pyrage.x25519.Recipient.from_str(recipient)
    except pyrage.RecipientError as error:
        raise CourtKeyError(f"not an age recipient: {error}") from error
    return recipient


def load_court_keys(layout: Layout) -> CourtKeys:
    """Return the pinned recipients.

    Raises:
        CourtKeyError: one is missing or both are the same.
    """
    keys = CourtKeys(
        read_recipient(layout.court_recipient), read_recipient(layout.escrow_recipient)
    )
    if keys.court == keys.escrow:
        raise CourtKeyError("court and escrow are the same recipient")
    return keys


def pin_court_keys(layout: Layout, keys: CourtKeys) -> None:
    """Pin ``keys``, durably.

    Raises:
        CourtKeyError: one is no age recipient; StorageError: it cannot be written.
    """
    both = {layout.court_recipient: keys.court, layout.escrow_recipient: keys.escrow}
    for recipient in both.values():
        checked(recipient)
    make_folder(layout.court_recipient.parent, mode=0o700)
    for path, recipient in both.items():
        write_text(path, f"# {path.stem}: opens closed parts; public\n{recipient}\n", mode=0o644)


# -- proven at commissioning -------------------------------------------------------------------
def proven(layout: Layout) -> dict[str, str]:
    """Return when each pinned key (``court``, ``escrow``) was proven to open something."""
    try:
        return _proven_of(load_court_keys(layout), layout)
    except CourtKeyError:
        return {}


def _proven_of(keys: CourtKeys, layout: Layout) -> dict[str, str]:
    try:
        known: dict[str, Any] = json.loads(layout.court_keys_proven.read_text(encoding="utf-8"))
        return {
            name: str(known[name]["at"])
            for name in (COURT, ESCROW)
            if name in known and known[name]["recipient"] == getattr(keys, name)
        }
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def note_proven(layout: Layout, name: str, recipient: str) -> None:
    """Write down that the holder of ``recipient`` opened what was encrypted to it, now."""
    try:
        known = dict(json.loads(layout.court_keys_proven.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        known = {}
    known[name] = {"recipient": recipient, "at": wall_text()}
    write_json(layout.court_keys_proven, known)


def court_keys_state(layout: Layout) -> str:
    """Return ``ok``, ``unproven`` (pinned, but nobody has shown that they open) or ``missing``."""
    try:
        keys = load_court_keys(layout)
    except CourtKeyError:
        return "missing"
    return "ok" if len(_proven_of(keys, layout)) == 2 else "unproven"
