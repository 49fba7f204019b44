"""The secretary's own signature over sealed minutes: onto her drive, and back (АПК 283(5), S21).

On the drive::

    minutes-<case>_<id>/
      SHA256SUMS    what she signs: it covers the minutes and every file of the recording
      SHA256.txt    its digest, to compare at her workstation
      minutes.pdf   the minutes, of a hearing that was never closed

What came back and holds is sealed like the minutes, as a folder beside them, ``minutes/<uuid>/``::

    signature.json         who signed which minutes, and how long the certificate is valid
    minutes.cms            the signature as it came back
    minutes/SHA256SUMS     what is signed, byte for byte
    journal.jsonl          the journal of the minutes
    SHA256SUMS, SHA256SUMS.p7s    the seal of this folder
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kiosk.errors import KioskError, UsageError
from kiosk.evidence.person_signature import (
    MAX_BYTES,
    PersonSignature,
    PersonSignatureError,
    check_person_signature,
    require_person,
)
from kiosk.evidence.seal import seal_folder
from kiosk.evidence.signer import Signer
from kiosk.export.drive_writer import DriveWriter, safe_name
from kiosk.export.errors import DriveError, ExportError
from kiosk.export.minutes_record import MinutesError, MinutesRecord
from kiosk.export.minutes_version import MINUTES_PDF, UNFINISHED
from kiosk.export.permission import closed_parts, is_wholly_closed
from kiosk.recording.verify.minutes import MINUTES_FILE
from kiosk.storage.atomic_io import (
    make_folder,
    read_json_or_none,
    sync_folder,
    write_bytes,
    write_json,
)
from kiosk.storage.hashing import sha256_of
from kiosk.storage.hearing_folder import COURIER_ONLY_MARKER, JOURNAL_FILE, SUMS
from kiosk.storage.paths import Paths

KIND, CONTRACT = "minutes_signature", 1
SIGNATURE_JSON, SIGNATURE_CMS, DIGEST_FILE = "signature.json", "minutes.cms", "SHA256.txt"
SIGNATURES = "signatures"
"""Folder of a draft that keeps what came back until it is sealed."""
ENDINGS = (".cms", ".p7s", ".sig", ".p7")
MAX_CANDIDATES = 40
_MOST_TELLING = (
    *("signature_other_person", "signature_expired", "signature_algorithm"),
    *("signature_untrusted", "signature_other_content", "signature_malformed"),
)


def check_minutes_signature(folder: Path, signature: Path, roots: Path) -> PersonSignature:
    """Check that ``signature`` is the secretary's, over the sealed minutes in ``folder``.

    Args:
        folder: sealed minutes.
        signature: detached CMS.
        roots: trusted roots that issue keys to people (PEM).

    Raises:
        PersonSignatureError: it does not hold, or somebody else made it.
        UsageError: no sealed minutes are there, or they do not name the secretary.
        RecordingError: ``openssl`` or ``roots`` is missing.
    """
    told = read_json_or_none(folder / MINUTES_FILE)
    if told is None:
        raise UsageError(f"{folder}: no sealed minutes are there")
    signed = check_person_signature(folder / SUMS, signature, roots)
    require_person(signed, _secretary_name(told))
    return signed


def _secretary_name(told: dict[str, Any]) -> str:
    """Return the name of the secretary who confirmed, from ``minutes.json``."""
    rows = told.get("confirmed")
    names = [
        str(row.get("name") or "")
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, dict) and row.get("role") == "secretary"
    ]
    if not names or not names[0]:
        raise UsageError("the minutes do not name the secretary who confirmed them")
    return names[0]


def write_for_signing(paths: Paths, record: MinutesRecord, drive: Path) -> dict[str, str]:
    """Write what the secretary signs to ``drive`` and read it back; return the journal's fields.

    The minutes themselves go with it only if the hearing was never closed and that can still be
    seen: a list of hashes tells nothing of a closed one (S19, R86).

    Raises:
        ExportError: the drive is full, gone or not writable.
    """
    seal = record.seals[-1].id
    source, is_open = paths.minutes / seal, _is_open(paths, record)
    case = f"-{safe_name(str(record.begun['case_number']))}" if is_open else ""
    digest = sha256_of(source / SUMS)
    writer = DriveWriter(drive, f"minutes{case}_{_short(seal)}")
    try:
        for name in (SUMS, *((MINUTES_PDF,) if is_open else ())):
            writer.copy(source / name, name, sha256_of(source / name), lambda _: None)
        writer.write(DIGEST_FILE, f"{digest}  {SUMS}\n".encode())
        writer.read_back(lambda _: None)
        folder = writer.finish()
    except KioskError:
        writer.discard()
        raise
    return {"seal": seal, "drive": drive.name, "folder": folder.name, "digest": digest}


def _short(seal: str) -> str:
    return seal.partition("-")[0]


def _is_open(paths: Paths, record: MinutesRecord) -> bool:
    hearing = paths.hearings / str(record.begun["hearing"])
    draft = paths.minutes_drafts / hearing.name
    if (draft / COURIER_ONLY_MARKER).exists() or not hearing.is_dir():
        return False
    return not is_wholly_closed(hearing) and not closed_parts(hearing)


def find_signature(
    paths: Paths, record: MinutesRecord, drive: Path, roots: Path
) -> tuple[bytes, PersonSignature]:
    """Return the secretary's signature that lies on ``drive``, with who made it.

    It may lie beside the folders or in the one that was written; other signatures do not matter.

    Raises:
        MinutesError: there is no signature (``minutes_signature_missing``).
        PersonSignatureError: none holds; the code is that of the one that came nearest.
        DriveError: the drive cannot be read.
    """
    seal, refused = record.seals[-1].id, []
    for path in _candidates(drive, _short(seal)):
        content = _read(path)
        kept = paths.minutes_drafts / str(record.begun["hearing"]) / SIGNATURES / "unchecked.cms"
        make_folder(kept.parent)
        write_bytes(kept, content)  # what is checked is what is kept, whatever the drive says next
        try:
            return content, check_minutes_signature(paths.minutes / seal, kept, roots)
        except PersonSignatureError as error:
            refused.append(error)
        finally:
            kept.unlink()
    if not refused:
        raise MinutesError("no signature on the drive", code="minutes_signature_missing")
    raise min(refused, key=lambda error: _MOST_TELLING.index(error.code))


def _candidates(drive: Path, short: str) -> list[Path]:
    try:
        folders = [*sorted(drive.glob(f"minutes*_{short}*")), drive]  # the likeliest ones first
        files = [path for folder in folders for path in _files(folder)]
    except OSError as error:
        raise DriveError(f"{drive.name}: cannot be read: {error.strerror}") from error
    return files[:MAX_CANDIDATES]


def _files(folder: Path) -> Iterator[Path]:
    if not folder.is_dir() or folder.is_symlink():
        return
    for path in sorted(folder.iterdir()):
        is_one = path.name.lower().endswith(ENDINGS) and not path.name.startswith(".")
        if is_one and path.is_file() and not path.is_symlink():
            yield path


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise DriveError(f"{path.name}: cannot be read: {error.strerror}") from error


def keep_signature(folder: Path, sha256: str, content: bytes) -> None:
    """Keep a signature that holds with the draft in ``folder``, before the journal names it."""
    write_bytes(make_folder(folder / SIGNATURES) / f"{sha256}.cms", content)


def seal_signature(paths: Paths, record: MinutesRecord, signer: Signer) -> None:
    """Write and seal the folder of a returned signature; do nothing without one, or if it is there.

    Raises:
        StorageError: it cannot be written; a later call tries again.
        ExportError: what was signed is not there.
    """
    signed = record.signed
    if signed is None or (target := paths.minutes / str(signed["folder"])).exists():
        return
    draft = paths.minutes_drafts / str(record.begun["hearing"])
    version = paths.minutes / str(signed["seal"])
    if not version.is_dir():
        raise ExportError(f"{version.name}: not there", code="export_source_changed")
    unfinished = paths.minutes / UNFINISHED
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(unfinished)  # of a crash
    folder = make_folder(make_folder(unfinished) / target.name)
    told = {
        "contract": CONTRACT,
        "kind": KIND,
        "hearing": record.begun["hearing"],
        "minutes": signed["seal"],
        "minutes_sums": sha256_of(version / SUMS),
        **{key: signed[key] for key in ("name", "valid_until", "sha256")},
        "taken": signed["at"],
    }
    write_json(folder / SIGNATURE_JSON, told)
    kept = draft / SIGNATURES / f"{signed['sha256']}.cms"
    write_bytes(folder / SIGNATURE_CMS, kept.read_bytes())
    write_bytes(make_folder(folder / "minutes") / SUMS, (version / SUMS).read_bytes())
    write_bytes(folder / JOURNAL_FILE, (draft / JOURNAL_FILE).read_bytes())
    if (draft / COURIER_ONLY_MARKER).exists():
        write_bytes(folder / COURIER_ONLY_MARKER, b"")
    seal_folder(folder, signer)
    folder.rename(target)
    sync_folder(paths.minutes)
