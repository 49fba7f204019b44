"""Packs the outbox onto a medium, encrypted to the court (``kiosk courier pack``).

It reads folders and receipts only, never ``kiosk.db``: it works beside a running ``kiosk sync``
and while sync is down. Nothing is deleted here; only the imported receipt permits that.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import hashlib
import io
import json
import os
import shutil
import tarfile
import threading
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import pyrage

from kiosk.clocks import format_wall
from kiosk.errors import KioskError, StorageError
from kiosk.evidence.device_key import FileSigner
from kiosk.exchange.courier_format import (
    FILES,
    FORMAT,
    ITEM,
    PACK,
    PIECE_BYTES,
    RECEIPT,
    ROOT,
    CourierError,
    Json,
    PieceWriter,
    list_packs,
    read_courier_json,
)
from kiosk.exchange.receipt_signature import signed_bytes
from kiosk.storage.atomic_io import make_folder, read_json_or_none, write_json
from kiosk.storage.paths import Paths
from kiosk.sync.delivery.retention import receipted_hashes
from kiosk.sync.outbox.manifest import (
    Manifest,
    ManifestFile,
    item_folder,
    read_manifest,
    ready_items,
)
from kiosk.sync.outbox.receipts import ReceiptStore
from kiosk.sync.outbox.request_bodies import request_body
from kiosk.sync.transport.identity import load_identity

RESERVE_BYTES = 4 << 20  # for pack.json, receipt.json and the folders of the medium
OVERHEAD = 1.01
ProgressCallback = Callable[[str], None]


@dataclass
class PackResult:
    """Result of packing: ids on the medium, and ids skipped with their error codes."""

    folder: Path | None = None
    packed_ids: list[str] = field(default_factory=list)
    already_packed_ids: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)


def load_recipients(paths: Paths) -> list[pyrage.x25519.Recipient]:
    """Return the court's keys; everything on a medium is encrypted to each of them.

    Raises:
        CourierError: ``courier_no_key``: none is pinned on this kiosk.
    """
    found = []
    for path in (paths.court_recipient, paths.escrow_recipient):
        try:
            lines = path.read_text(encoding="ascii").split()
            found += [
                pyrage.x25519.Recipient.from_str(word) for word in lines if word[:4] == "age1"
            ]
        except (OSError, ValueError, pyrage.RecipientError):
            continue
    if not found:
        raise CourierError(
            "this kiosk has no key of the court to encrypt to: enrol it again",
            code="courier_no_key",
        )
    return found


def undelivered_items(paths: Paths) -> list[tuple[str, str]]:
    """Return ``(kind, id)`` of every finished item without a receipt, urgent kinds first."""
    receipts = ReceiptStore(paths.receipts)
    return [
        (kind, item_id)
        for kind, item_id in ready_items(paths)
        if not receipted_hashes(paths, receipts, kind, item_id)
    ]


def write_pack(
    paths: Paths,
    medium: Path,
    items: Iterable[tuple[str, str]],
    report_progress: ProgressCallback,
    piece_bytes: int = PIECE_BYTES,
) -> PackResult:
    """Write a pack; skip the items that do not fit or cannot be read, and name them.

    Args:
        paths: of this kiosk.
        medium: folder of the mounted medium.
        items: ``(kind, id)`` of the items.
        report_progress: called with a line of progress before each item.
        piece_bytes: most bytes of one file on the medium.

    Raises:
        CourierError: no key, wrong medium, or the medium is gone.
        NotEnrolledError: a kiosk without a certificate cannot sign a pack.
    """
    recipients, identity = load_recipients(paths), load_identity(paths)
    _check_medium(paths, medium)
    result, pending = PackResult(), list(items)
    result.already_packed_ids = _already_packed(
        medium, identity.kiosk_id, {item_id for _, item_id in pending}
    )
    pending = [item for item in pending if item[1] not in result.already_packed_ids]
    if not pending:
        return result
    try:
        folder = make_folder(medium / ROOT / identity.kiosk_id / str(uuid.uuid4()))
        result.folder = folder
        entries = _write_items(
            paths, folder, pending, recipients, result, report_progress, piece_bytes
        )
        if not entries:
            shutil.rmtree(folder, ignore_errors=True)
            result.folder = None
            return result
        _write_index(paths, folder, identity.kiosk_id, entries)
    except (OSError, StorageError) as error:
        if isinstance(error, StorageError) and not str(error).startswith(str(medium)):
            raise
        raise CourierError(
            f"{medium}: the medium failed: {error}. Nothing is lost here."
        ) from error
    return result


def _check_medium(paths: Paths, medium: Path) -> None:
    if not medium.is_dir():
        raise CourierError(f"{medium}: no such folder. Is the medium plugged in and mounted?")
    if medium.resolve().is_relative_to(paths.data.resolve()):
        raise CourierError(f"{medium}: is on the kiosk itself; give the folder of the medium")
    if not os.access(medium, os.W_OK) or os.statvfs(medium).f_flag & os.ST_RDONLY:
        raise CourierError(f"{medium}: the medium is write-protected")


def _already_packed(medium: Path, kiosk: str, wanted: set[str]) -> list[str]:
    """Return which of ``wanted`` are on this medium in a finished pack without a receipt."""
    with contextlib.suppress(CourierError):
        found: set[str] = set()
        for folder in list_packs(medium):
            index = read_courier_json(folder / PACK) if folder.parent.name == kiosk else None
            if index is not None and not (folder / RECEIPT).exists():
                found |= {str(item.get("id")) for item in index.get("items", ())}
        return sorted(wanted & found)
    return []


def _write_items(
    paths: Paths,
    folder: Path,
    pending: list[tuple[str, str]],
    recipients: list[pyrage.x25519.Recipient],
    result: PackResult,
    report_progress: ProgressCallback,
    piece_bytes: int,
) -> list[Json]:
    items: list[Json] = []
    for number, (kind, item_id) in enumerate(pending, start=1):
        try:
            manifest = read_manifest(paths, kind, item_id)
        except StorageError as error:
            result.skipped[item_id] = error.code
            continue
        size = sum(file.size for file in manifest.files)
        report_progress(f"{kind} {item_id}: {size / 1e6:.1f} MB ({number} of {len(pending)})")
        if size * OVERHEAD + RESERVE_BYTES > shutil.disk_usage(folder).free:
            result.skipped[item_id] = "courier_full"
            continue
        writer = PieceWriter(folder, f"{number:04d}", piece_bytes)
        try:
            _encrypt_item(paths, manifest, recipients, writer)
        except KioskError as error:
            writer.discard()
            if error.code == "courier_medium":
                raise
            result.skipped[item_id] = error.code
            continue
        items.append({"kind": kind, "id": item_id, "pieces": writer.pieces})
        result.packed_ids.append(item_id)
    return items


def _encrypt_item(
    paths: Paths,
    manifest: Manifest,
    recipients: list[pyrage.x25519.Recipient],
    writer: PieceWriter,
) -> None:
    """Stream an item's tar through age onto the medium.

    Raises:
        CourierError: the medium is full or gone.
        StorageError: a local file differs from its seal.
    """
    source, sink = os.pipe()
    errors: list[BaseException] = []

    def produce() -> None:
        try:
            with os.fdopen(sink, "wb") as stream:
                _write_tar(paths, manifest, stream)
        except BrokenPipeError:
            return
        except Exception as error:  # passed on to the other thread
            errors.append(error)

    producer = threading.Thread(target=produce, name="courier tar")
    producer.start()
    try:
        with os.fdopen(source, "rb") as stream:
            pyrage.encrypt_io(stream, writer, recipients)
        writer.close()
    except Exception as error:
        if not isinstance(cause := writer.error or error, OSError):
            raise
        full = cause.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        code = "courier_full" if full else "courier_medium"
        raise CourierError(f"the medium failed: {cause.strerror}", code=code) from error
    finally:
        producer.join()
    if errors:
        raise errors[0]


def _write_tar(paths: Paths, manifest: Manifest, stream: BinaryIO) -> None:
    folder = item_folder(paths, manifest.kind, manifest.id)
    item = {
        "kind": manifest.kind,
        "id": manifest.id,
        "body": request_body(manifest, folder, _provisional_number(paths, manifest)),
    }
    with tarfile.open(mode="w|", fileobj=stream, format=tarfile.PAX_FORMAT) as tar:
        _add_bytes(tar, ITEM, json.dumps(item, ensure_ascii=False).encode())
        for file in manifest.files:
            _add_file(tar, folder / file.path, file)


def _provisional_number(paths: Paths, manifest: Manifest) -> str | None:
    """Return the number on a visitor's receipt, from the files beside filing and database."""
    if manifest.kind != "filing":
        return None
    from_sync = paths.database.parent / "registrations" / f"{manifest.id}.json"
    from_filing = paths.filings / manifest.id / "registration.json"
    for path in (from_filing, from_sync):
        number = (read_json_or_none(path) or {}).get("provisional")
        if isinstance(number, str) and number:
            return number
    return None


def _add_bytes(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))


class _HashingReader:
    """A reader that hashes a file while it is read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Read and hash a block."""
        block = self._file.read(size)
        self.hash.update(block)
        return block


def _add_file(tar: tarfile.TarFile, path: Path, file: ManifestFile) -> None:
    info = tarfile.TarInfo(FILES + file.path)
    info.size = file.size
    try:
        with path.open("rb") as stream:
            reader = _HashingReader(stream)
            tar.addfile(info, reader)
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise StorageError(f"{path.name}: {error.strerror}", code="file_changed") from error
    if reader.hash.hexdigest() != file.sha256:
        raise StorageError(f"{path.name}: not what its seal says", code="file_changed")


def _write_index(paths: Paths, folder: Path, kiosk: str, items: list[Json]) -> None:
    """Write ``pack.json``, which makes the pack valid, and record its items on this kiosk."""
    index: dict[str, Any] = {
        "format": FORMAT,
        "pack": folder.name,
        "kiosk": kiosk,
        "made_at": format_wall(),
        "items": items,
    }
    signer = FileSigner(paths.device_key, paths.device_certificate)
    index["signature"] = base64.b64encode(signer.sign(signed_bytes(index))).decode("ascii")
    index["certificate"] = paths.device_certificate.read_text(encoding="ascii")
    write_json(folder / PACK, index)
    packed_items = [{"kind": item["kind"], "id": item["id"]} for item in items]
    packed_folder = make_folder(paths.database.parent / "courier")
    record = {"made_at": index["made_at"], "items": packed_items}
    write_json(packed_folder / f"{folder.name}.json", record)
