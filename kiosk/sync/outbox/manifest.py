"""Manifest of a hearing, filing or report: the files to deliver, their sizes and SHA-256.

A sealed hearing has its own list (``SHA256SUMS``); a filing's documents are hashed here, once.
Sealed short minutes go the way of reports, and share the rule for state secrets with hearings.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from kiosk.errors import StorageError
from kiosk.storage.atomic_io import read_json_or_none
from kiosk.storage.hashing import sha256_of
from kiosk.storage.hearing_folder import COURIER_ONLY_MARKER, SIGNATURE, SUMS
from kiosk.storage.paths import Paths
from kiosk.sync.outbox.lanes import Lane

SUBMITTED = "submitted"
SUMS_LINE = re.compile(r"^([0-9a-f]{64}) [ *](.+)$")
UUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
KINDS = ("filing", "hearing", "report")  # most urgent first


class ManifestError(StorageError):
    """The folder does not match its list (file missing, list malformed)."""

    code = "folder_damaged"


@dataclass(frozen=True)
class ManifestFile:
    """One file to deliver.

    Attributes:
        path: relative to the item's folder, with ``/``.
        size: bytes.
        sha256: hexadecimal, lower case.
        lane: when it goes.
    """

    path: str
    size: int
    sha256: str
    lane: Lane


@dataclass(frozen=True)
class Manifest:
    """Everything of one item that is delivered."""

    id: str
    kind: str
    files: tuple[ManifestFile, ...]
    is_courier_only: bool = False


def item_folder(paths: Paths, kind: str, item_id: str) -> Path:
    """Return the folder of an item."""
    roots = _kind_folders(paths, kind)
    found = (root / item_id for root in roots if (root / item_id).exists())
    return next(found, roots[0] / item_id)


def _kind_folders(paths: Paths, kind: str) -> tuple[Path, ...]:
    return {
        "hearing": (paths.hearings,),
        "filing": (paths.filings,),
        "report": (paths.reports, paths.minutes),
    }[kind]


def is_courier_only(folder: Path) -> bool:
    """Return whether a hearing must never leave by network (the recorder marks state secrets)."""
    return (folder / COURIER_ONLY_MARKER).exists()


def needs_courier(paths: Paths, kind: str, item_id: str) -> bool:
    """Return whether an item must never leave by network: a hearing, or the minutes of one."""
    if kind == "filing":
        return False
    folder = item_folder(paths, kind, item_id)
    if folder.parent != paths.minutes:
        return is_courier_only(folder)
    told = (read_json_or_none(folder / name) for name in ("minutes.json", "signature.json"))
    minutes = next((found for found in told if found), {})
    hearing = str(minutes.get("hearing") or "")
    is_marked = UUID.match(hearing) is not None and is_courier_only(paths.hearings / hearing)
    return is_marked or is_courier_only(folder)


def is_ready(kind: str, folder: Path) -> bool:
    """Return whether the owner of ``folder`` has finished with it: sealed, signed or submitted."""
    if kind == "filing":
        return (folder / SUBMITTED).exists()
    return (folder / SIGNATURE).exists()


def ready_items(paths: Paths) -> list[tuple[str, str]]:
    """Return ``(kind, id)`` of every folder that may be delivered, filings first."""
    found = []
    for kind in KINDS:
        for root in _kind_folders(paths, kind):
            for folder in sorted(root.iterdir()) if root.is_dir() else ():
                if UUID.match(folder.name) and is_ready(kind, folder):
                    found.append((kind, folder.name))
    return found


def read_manifest(paths: Paths, kind: str, item_id: str) -> Manifest:
    """Return the manifest of a finished item.

    Raises:
        ManifestError: a listed file is missing or the list cannot be read.
        StorageError: the disk fails.
    """
    folder = item_folder(paths, kind, item_id)
    files = _filing_files(folder) if kind == "filing" else _sealed_files(folder, kind)
    return Manifest(item_id, kind, tuple(files), needs_courier(paths, kind, item_id))


def _filing_files(folder: Path) -> list[ManifestFile]:
    """Return a filing's documents: what ``filing.json`` lists, else its PDF files.

    Pages and working files stay.
    """
    try:
        listed = json.loads((folder / "filing.json").read_text(encoding="utf-8")).get("documents")
        paths = [folder / str(document["path"]) for document in listed or ()]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ManifestError(f"{folder.name}/filing.json: {error}") from error
    paths = paths or sorted(folder.glob("*.pdf"))
    if not paths or not all(path.is_file() for path in paths):
        raise ManifestError(f"{folder.name}: a document is not there")
    return [
        ManifestFile(
            path.relative_to(folder).as_posix(), path.stat().st_size, sha256_of(path), Lane.URGENT
        )
        for path in paths
    ]


def _sealed_files(folder: Path, kind: str) -> list[ManifestFile]:
    """Return the files that ``SHA256SUMS`` lists, and the list and its signature themselves."""
    files = [
        _manifest_file(folder, kind, path, digest) for path, digest in read_sums(folder / SUMS)
    ]
    for name in (SUMS, SIGNATURE):
        files.append(_manifest_file(folder, kind, name, sha256_of(folder / name)))
    return files


def _manifest_file(folder: Path, kind: str, path: str, digest: str) -> ManifestFile:
    try:
        size = (folder / path).stat().st_size
    except OSError as error:
        raise ManifestError(f"{folder.name}/{path}: listed, but not there") from error
    return ManifestFile(path, size, digest, lane_for(kind, path))


def lane_for(kind: str, path: str) -> Lane:
    """Return the lane of a file by what it is."""
    if kind == "filing":
        return Lane.URGENT
    parts = PurePosixPath(path).parts
    is_video = kind == "hearing" and len(parts) > 1 and parts[1].split(".")[0] == "main"
    return Lane.VIDEO if is_video else Lane.RECORD


def read_sums(path: Path) -> list[tuple[str, str]]:
    """Return ``(path, sha256)`` of each line of a ``SHA256SUMS`` file.

    Raises:
        ManifestError: not a list as ``sha256sum`` writes it, or a path that leaves the folder.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"{path.parent.name}/{path.name}: {error}") from error
    found = []
    for number, line in enumerate(lines, start=1):
        match = SUMS_LINE.match(line)
        if match is None or not is_safe_relative_path(match[2]):
            raise ManifestError(f"{path.parent.name}/{path.name}: line {number} is not allowed")
        found.append((match[2], match[1]))
    return found


def is_safe_relative_path(path: str) -> bool:
    """Return whether a relative path stays inside its folder."""
    parts = PurePosixPath(path).parts
    return bool(parts) and not path.startswith("/") and ".." not in parts
