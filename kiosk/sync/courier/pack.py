"""Packs the outbox onto a medium, encrypted to the court (``kiosk courier pack``).

It reads folders and receipts only, never ``kiosk.db``: it works beside a running ``kiosk sync``
and while sync is dead. Nothing is deleted here; only the receipt that comes home permits that.
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

from kiosk.clocks import wall_text
from kiosk.errors import KioskError, StorageError
from kiosk.evidence.signer import FileSigner
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
    SplitWriter,
    packs_of,
    read_json,
    signed_bytes,
)
from kiosk.storage.atomic_io import make_folder, write_json
from kiosk.storage.paths import Layout
from kiosk.sync.delivery.retention import receipted
from kiosk.sync.outbox.manifest import Manifest, ManifestFile, folder_of, read_manifest, ready_items
from kiosk.sync.outbox.receipts import Receipts
from kiosk.sync.outbox.request_bodies import body_of
from kiosk.sync.transport.identity import load_identity

RESERVE_BYTES = 4 << 20  # for pack.json, receipt.json and the folders of the medium
OVERHEAD = 1.01
Tell = Callable[[str], None]


@dataclass
class Packed:
    """What came of it: ids that are on the medium, and what was left out and why (codes)."""

    pack: Path | None = None
    done: list[str] = field(default_factory=list)
    there_before: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


def recipients_of(layout: Layout) -> list[pyrage.x25519.Recipient]:
    """Return the court's keys: everything on a medium is encrypted to each of them.

    Raises:
        CourierError: ``courier_no_key``: none is pinned on this kiosk.
    """
    found = []
    for path in (layout.court_recipient, layout.escrow_recipient):
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


def undelivered(layout: Layout) -> list[tuple[str, str]]:
    """Return ``(kind, id)`` of everything finished that has no receipt, urgent things first."""
    receipts = Receipts(layout.receipts)
    return [
        (kind, item_id)
        for kind, item_id in ready_items(layout)
        if not receipted(layout, receipts, kind, item_id)
    ]


def pack(
    layout: Layout,
    medium: Path,
    wanted: Iterable[tuple[str, str]],
    tell: Tell,
    piece_bytes: int = PIECE_BYTES,
) -> Packed:
    """Write a pack; what does not fit or cannot be read is left out and named.

    Args:
        layout: of this kiosk.
        medium: folder of the mounted medium.
        wanted: ``(kind, id)`` of the items.
        tell: called with a line of progress before each item.
        piece_bytes: most bytes of one file on the medium.

    Raises:
        CourierError: no key, wrong medium, or the medium is gone.
        NotEnrolledError: a kiosk without a certificate cannot sign a pack.
    """
    recipients, identity = recipients_of(layout), load_identity(layout)
    _check_medium(layout, medium)
    packed, listed = Packed(), list(wanted)
    packed.there_before = _on_it_already(medium, identity.kiosk_id, {one[1] for one in listed})
    listed = [one for one in listed if one[1] not in packed.there_before]
    if not listed:
        return packed
    try:
        folder = make_folder(medium / ROOT / identity.kiosk_id / str(uuid.uuid4()))
        packed.pack = folder
        items = _write_items(layout, folder, listed, recipients, packed, tell, piece_bytes)
        if not items:
            shutil.rmtree(folder, ignore_errors=True)
            packed.pack = None
            return packed
        _finish(layout, folder, identity.kiosk_id, items)
    except (OSError, StorageError) as error:
        if isinstance(error, StorageError) and not str(error).startswith(str(medium)):
            raise
        raise CourierError(
            f"{medium}: the medium failed: {error}. Nothing is lost here."
        ) from error
    return packed


def _check_medium(layout: Layout, medium: Path) -> None:
    if not medium.is_dir():
        raise CourierError(f"{medium}: no such folder. Is the medium plugged in and mounted?")
    if medium.resolve().is_relative_to(layout.data.resolve()):
        raise CourierError(f"{medium}: lies on the kiosk itself; give the folder of the medium")
    if not os.access(medium, os.W_OK) or os.statvfs(medium).f_flag & os.ST_RDONLY:
        raise CourierError(f"{medium}: the medium is write-protected")


def _on_it_already(medium: Path, kiosk: str, wanted: set[str]) -> list[str]:
    """Return which of ``wanted`` lie on this medium in a finished pack without a receipt."""
    with contextlib.suppress(CourierError):
        found: set[str] = set()
        for folder in packs_of(medium):
            known = read_json(folder / PACK) if folder.parent.name == kiosk else None
            if known is not None and not (folder / RECEIPT).exists():
                found |= {str(item.get("id")) for item in known.get("items", ())}
        return sorted(wanted & found)
    return []


def _write_items(
    layout: Layout,
    folder: Path,
    listed: list[tuple[str, str]],
    recipients: list[pyrage.x25519.Recipient],
    packed: Packed,
    tell: Tell,
    piece_bytes: int,
) -> list[Json]:
    items: list[Json] = []
    for number, (kind, item_id) in enumerate(listed, start=1):
        try:
            manifest = read_manifest(layout, kind, item_id)
        except StorageError as error:
            packed.left_out[item_id] = error.code
            continue
        size = sum(file.size for file in manifest.files)
        tell(f"{kind} {item_id}: {size / 1e6:.1f} MB ({number} of {len(listed)})")
        if size * OVERHEAD + RESERVE_BYTES > shutil.disk_usage(folder).free:
            packed.left_out[item_id] = "courier_full"
            continue
        writer = SplitWriter(folder, f"{number:04d}", piece_bytes)
        try:
            _encrypt(layout, manifest, recipients, writer)
        except KioskError as error:
            writer.discard()
            if error.code == "courier_medium":
                raise
            packed.left_out[item_id] = error.code
            continue
        items.append({"kind": kind, "id": item_id, "pieces": writer.pieces})
        packed.done.append(item_id)
    return items


def _encrypt(
    layout: Layout,
    manifest: Manifest,
    recipients: list[pyrage.x25519.Recipient],
    writer: SplitWriter,
) -> None:
    """Stream an item's tar through age onto the medium.

    Raises:
        CourierError: the medium is full or gone.
        StorageError: a file here is not what its seal says.
    """
    source, sink = os.pipe()
    failed: list[BaseException] = []

    def produce() -> None:
        try:
            with os.fdopen(sink, "wb") as stream:
                _write_tar(layout, manifest, stream)
        except BrokenPipeError:
            return
        except Exception as error:  # carried over to the other thread
            failed.append(error)

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
    if failed:
        raise failed[0]


def _write_tar(layout: Layout, manifest: Manifest, stream: BinaryIO) -> None:
    folder = folder_of(layout, manifest.kind, manifest.id)
    item = {
        "kind": manifest.kind,
        "id": manifest.id,
        "body": body_of(manifest, folder, _provisional(layout, manifest)),
    }
    with tarfile.open(mode="w|", fileobj=stream, format=tarfile.PAX_FORMAT) as tar:
        _add(tar, ITEM, json.dumps(item, ensure_ascii=False).encode())
        for file in manifest.files:
            _add_file(tar, folder / file.path, file)


def _provisional(layout: Layout, manifest: Manifest) -> str | None:
    """Return the number on a visitor's receipt, from what was kept beside the database."""
    if manifest.kind != "filing":
        return None
    kept = layout.database.parent / "registrations" / f"{manifest.id}.json"
    own = layout.filings / manifest.id / "registration.json"
    for path in (own, kept):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            number = json.loads(path.read_text(encoding="utf-8")).get("provisional")
            if isinstance(number, str) and number:
                return number
    return None


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))


class _Hashing:
    """A file that is hashed while it is read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Read, and hash what was read."""
        block = self._file.read(size)
        self.hash.update(block)
        return block


def _add_file(tar: tarfile.TarFile, path: Path, file: ManifestFile) -> None:
    info = tarfile.TarInfo(FILES + file.path)
    info.size = file.size
    try:
        with path.open("rb") as opened:
            reader = _Hashing(opened)
            tar.addfile(info, reader)
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise StorageError(f"{path.name}: {error.strerror}", code="file_changed") from error
    if reader.hash.hexdigest() != file.sha256:
        raise StorageError(f"{path.name}: not what its seal says", code="file_changed")


def _finish(layout: Layout, folder: Path, kiosk: str, items: list[Json]) -> None:
    """Write ``pack.json``: from now on the pack counts. Keep beside it here what was packed."""
    about: dict[str, Any] = {
        "format": FORMAT,
        "pack": folder.name,
        "kiosk": kiosk,
        "made_at": wall_text(),
        "items": items,
    }
    signer = FileSigner(layout.device_key, layout.device_certificate)
    about["signature"] = base64.b64encode(signer.sign(signed_bytes(about))).decode("ascii")
    about["certificate"] = layout.device_certificate.read_text(encoding="ascii")
    write_json(folder / PACK, about)
    kept = [{"kind": item["kind"], "id": item["id"]} for item in items]
    ledger = make_folder(layout.database.parent / "courier")
    write_json(ledger / f"{folder.name}.json", {"made_at": about["made_at"], "items": kept})
