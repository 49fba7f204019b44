"""The court's two age recipients, pinned at enrolment: only their holders can open closed parts.

``identity/court.age`` and ``identity/escrow.age`` are text files as ``age -R`` reads them: one
public key (``age1…``), comments after ``#``. The private keys are the court's and never here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyrage

from kiosk.api.states import CourtKeyState
from kiosk.clocks import format_wall
from kiosk.errors import RecordingError, StorageError
from kiosk.storage.atomic_io import (
    make_folder,
    read_json,
    read_json_or_none,
    write_json,
    write_text,
)
from kiosk.storage.paths import Paths

COURT, ESCROW = "court", "escrow"


class CourtKeyError(RecordingError):
    """The court's keys are not pinned, so that no part can be closed."""

    code = "court_key_missing"
    status = 409


@dataclass(frozen=True)
class CourtKeys:
    """The two recipients, as text (``age1…``)."""

    court: str
    escrow: str

    def recipients(self) -> list[pyrage.x25519.Recipient]:
        """Return both, ready to encrypt to."""
        return [pyrage.x25519.Recipient.from_str(text) for text in (self.court, self.escrow)]


def read_recipient(path: Path) -> str:
    """Return the one recipient in a file.

    Raises:
        CourtKeyError: there is none, or it is no age recipient.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        raise CourtKeyError(f"{path}: is not there: enrol this kiosk, or pin the keys") from error
    except (OSError, UnicodeDecodeError) as error:
        raise CourtKeyError(f"{path}: cannot be read") from error
    keys = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if len(keys) != 1:
        raise CourtKeyError(f"{path}: {len(keys)} recipients, one is needed")
    return validate_recipient(keys[0])


def validate_recipient(recipient: str) -> str:
    """Return ``recipient`` if it is an X25519 age recipient.

    Raises:
        CourtKeyError: it is not.
    """
    try:
        pyrage.x25519.Recipient.from_str(recipient)
    except pyrage.RecipientError as error:
        raise CourtKeyError(f"not an age recipient: {error}") from error
    return recipient


def load_court_keys(paths: Paths) -> CourtKeys:
    """Return the pinned recipients.

    Raises:
        CourtKeyError: one is missing or both are the same.
    """
    keys = CourtKeys(read_recipient(paths.court_recipient), read_recipient(paths.escrow_recipient))
    if keys.court == keys.escrow:
        raise CourtKeyError("court and escrow are the same recipient")
    return keys


def encrypt_to_court(paths: Paths, plain: bytes) -> bytes:
    """Return ``plain`` as an age file that the holders of both keys can open.

    Raises:
        StorageError: the keys are not pinned.
    """
    try:
        return bytes(pyrage.encrypt(plain, load_court_keys(paths).recipients()))
    except CourtKeyError as error:
        raise StorageError(f"nothing is encrypted to the court: {error}") from error


def pin_court_keys(paths: Paths, keys: CourtKeys) -> None:
    """Pin ``keys``, durably.

    Raises:
        CourtKeyError: one is no age recipient.
        StorageError: a file cannot be written.
    """
    both = {paths.court_recipient: keys.court, paths.escrow_recipient: keys.escrow}
    for recipient in both.values():
        validate_recipient(recipient)
    make_folder(paths.court_recipient.parent)
    for path, recipient in both.items():
        write_text(path, f"# {path.stem}: opens closed parts; public\n{recipient}\n", mode=0o644)


# -- proofs at commissioning --------------------------------------------------------------------
def proof_times(paths: Paths) -> dict[str, str]:
    """Return when each pinned key (``court``, ``escrow``) was proven to decrypt."""
    try:
        return _proof_times_of(load_court_keys(paths), paths)
    except CourtKeyError:
        return {}


def _proof_times_of(keys: CourtKeys, paths: Paths) -> dict[str, str]:
    try:
        proofs = read_json(paths.court_key_proofs)
        return {
            name: str(proofs[name]["at"])
            for name in (COURT, ESCROW)
            if name in proofs and proofs[name]["recipient"] == getattr(keys, name)
        }
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def record_proof(paths: Paths, name: str, recipient: str) -> None:
    """Record that the holder of ``recipient`` has just decrypted what was encrypted to it."""
    proofs = read_json_or_none(paths.court_key_proofs) or {}
    proofs[name] = {"recipient": recipient, "at": format_wall()}
    write_json(paths.court_key_proofs, proofs)


def court_key_status(paths: Paths) -> CourtKeyState:
    """Return whether the court's keys are pinned and proven to decrypt."""
    try:
        keys = load_court_keys(paths)
    except CourtKeyError:
        return CourtKeyState.MISSING
    is_proven = len(_proof_times_of(keys, paths)) == 2
    return CourtKeyState.OK if is_proven else CourtKeyState.UNPROVEN
