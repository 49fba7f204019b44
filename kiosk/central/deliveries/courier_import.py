"""Imports couriers' drives (``kiosk central ingest``): decrypts, checks, stores, issues receipts.

It may run while a central system serves the same data. The items of a drive are delivered
like any other: registered by UUID and SHA-256, hashed from the store, receipted once. Importing
the same drive again gives the same receipts; what also came by network is not stored twice.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import pyrage
from cryptography import x509
from pydantic import BaseModel
from sqlalchemy import Connection, Row

from kiosk.central.arrival.intake import Intake
from kiosk.central.contract import FilingRegistration, HearingManifest, ReportManifest, parse
from kiosk.central.data.database import Database
from kiosk.central.data.object_store import ObjectStore
from kiosk.central.deliveries.deliveries import DeliveryService, delivery_files, make_manifest
from kiosk.central.deliveries.filing_registry import FilingRegistry
from kiosk.central.deliveries.upload_records import COMPLETE
from kiosk.central.deliveries.uploads import UploadService
from kiosk.central.errors import RefusedError
from kiosk.central.identity import enrolment
from kiosk.central.identity.authority import CertificateAuthority, ReceiptSigner
from kiosk.central.identity.enrolment import Kiosk
from kiosk.clocks import format_wall
from kiosk.errors import KioskError
from kiosk.evidence.certificates import common_name
from kiosk.evidence.signer import is_signature_valid
from kiosk.exchange.courier_format import (
    FILES,
    FORMAT,
    ITEM,
    PACK,
    RECEIPT,
    CourierError,
    Json,
    PieceReader,
    list_packs,
    read_courier_json,
)
from kiosk.exchange.receipt_signature import signed_bytes
from kiosk.storage.atomic_io import write_json

log = logging.getLogger(__name__)

MAX_REGISTRATION_BYTES = 32 << 20  # without the files
ReportProgress = Callable[[str], None]


@dataclass
class CourierImportResult:
    """Result of an import: items with a receipt, and error codes by folder or item id."""

    receipted: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


def read_age_keys(path: Path) -> list[pyrage.x25519.Identity]:
    """Return the court's secret age keys in a file as ``age-keygen`` writes it.

    Raises:
        CourierError: ``courier_no_key``, the file holds none.
    """
    try:
        words = path.read_text(encoding="ascii").split()
        found = [
            pyrage.x25519.Identity.from_str(word)
            for word in words
            if word.startswith("AGE-SECRET-KEY-")
        ]
    except (OSError, ValueError, pyrage.IdentityError) as error:
        raise CourierError(f"{path}: no key of age: {error}", code="courier_no_key") from error
    if not found:
        raise CourierError(f"{path}: no key of age in it", code="courier_no_key")
    return found


class CourierImport:
    """Imports the packs of couriers' drives.

    Args:
        database: the central system's.
        store: delivered files.
        authority: issued the kiosks' certificates.
        intake: where files are that are being imported.
    """

    def __init__(
        self,
        database: Database,
        store: ObjectStore,
        authority: CertificateAuthority,
        intake: Intake,
    ) -> None:
        self._database = database
        self._authority = authority
        self._signer = ReceiptSigner(*authority.current_server_files())
        self._uploads = UploadService(database, store, intake, self._signer)
        self._deliveries = DeliveryService(database, store, self._uploads, self._signer)
        self._registry = FilingRegistry(database, self._deliveries)

    async def import_drive(
        self, drive: Path, keys: list[pyrage.x25519.Identity], report_progress: ReportProgress
    ) -> CourierImportResult:
        """Import every pack of ``drive``; a failing pack does not stop the others.

        Raises:
            CourierError: there is no pack, or the drive cannot be read or written.
        """
        result = CourierImportResult()
        for folder in list_packs(drive):
            try:
                await self._import_pack(folder, keys, result, report_progress)
            except (CourierError, RefusedError) as error:
                if error.code == "courier_medium":
                    raise
                log.error("%s: %s", folder, error)
                result.refused[str(folder)] = error.code
        await self._uploads.close()
        return result

    async def _import_pack(
        self,
        folder: Path,
        keys: list[pyrage.x25519.Identity],
        result: CourierImportResult,
        report_progress: ReportProgress,
    ) -> None:
        pack = read_courier_json(folder / PACK)
        if pack is None:
            raise CourierError(
                f"{folder}: the pack is not finished: pack again", code="courier_damaged"
            )
        kiosk = await self._database.run_read(
            lambda connection: self._identify_author(connection, pack)
        )
        if (pack["kiosk"], pack["pack"]) != (folder.parent.name, folder.name):
            raise CourierError(f"{folder}: not in its place", code="courier_damaged")
        answers = []
        for item in pack["items"]:
            report_progress(f"{item['kind']} {item['id']} of {kiosk.id}")
            try:
                answer = await self._import_item(kiosk, folder, item, keys)
            except (CourierError, RefusedError) as error:
                if error.code == "courier_medium":
                    raise
                log.error("%s %s: %s", item["kind"], item["id"], error)
                result.refused[item["id"]] = error.code
                continue
            except Exception:  # one item holds up no other
                log.exception("%s %s", item["kind"], item["id"])
                result.refused[item["id"]] = "internal"
                continue
            answers.append(answer)
            if answer["receipt"] is None:
                result.refused[item["id"]] = answer["problem"] or "no_receipt"
            else:
                result.receipted.append(item["id"])
        self._write_answer(folder, pack, answers)

    def _identify_author(self, connection: Connection, pack: Json) -> Kiosk:
        """Return the kiosk that has signed a pack.

        Raises:
            CourierError: not signed by a kiosk of this court.
            RefusedError: its certificate is unknown or revoked.
        """
        try:
            if pack["format"] != FORMAT:
                raise CourierError("a newer kiosk's pack: update", code="courier_damaged")
            certificate = x509.load_pem_x509_certificate(pack["certificate"].encode("ascii"))
            certificate.verify_directly_issued_by(self._authority.root)
            is_genuine = is_signature_valid(certificate, signed_bytes(pack), pack["signature"])
            name = common_name(certificate)
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise CourierError("not a kiosk's pack", code="courier_damaged") from error
        except CourierError:
            raise
        except Exception as error:  # InvalidSignature shares no base class with the others
            raise CourierError("not a kiosk of this court", code="courier_foreign") from error
        if not is_genuine or name != pack["kiosk"]:
            raise CourierError("not signed by its kiosk", code="courier_damaged")
        return enrolment.identify_kiosk(connection, name, f"{certificate.serial_number:x}")

    async def _import_item(
        self, kiosk: Kiosk, folder: Path, item: Json, keys: list[pyrage.x25519.Identity]
    ) -> Json:
        reader = PieceReader(folder, item["pieces"])
        with _decrypt_stream(reader, keys) as stream, _open_tar(stream) as tar:
            body = await asyncio.to_thread(_read_registration, tar, item)
            answer = await self._register(kiosk, item["kind"], item["id"], body)
            if answer["receipt"] is None:
                await self._store_files(tar, item["id"])
        return await self._item_status(kiosk, item["kind"], item["id"])

    async def _register(self, kiosk: Kiosk, kind: str, item_id: str, body: bytes) -> Json:
        if kind == "filing":
            return await self._registry.register(kiosk, item_id, parse(FilingRegistration, body))
        request: BaseModel
        if kind == "hearing":
            request = hearing = parse(HearingManifest, body)
            if hearing.hearing.id != item_id:
                raise CourierError("another hearing's registration", code="courier_damaged")
            manifest = make_manifest(kind, request, hearing.files, final=hearing.final)
        else:
            report = parse(ReportManifest, body)
            manifest = make_manifest(kind, report, report.files)
        return await self._deliveries.register(kiosk.id, item_id, manifest)

    async def _store_files(self, tar: tarfile.TarFile, item_id: str) -> None:
        """Import the files that are still missing, and verify their hashes."""
        rows = await self._database.run_read(lambda connection: delivery_files(connection, item_id))
        wanted: dict[str, Row[Any]] = {row.path: row for row in rows if row.state != COMPLETE}
        while (member := await asyncio.to_thread(tar.next)) is not None:
            row = wanted.get(member.name.removeprefix(FILES))
            content = tar.extractfile(member) if member.isfile() else None
            if row is None or content is None:
                continue
            if member.size != row.size:
                raise CourierError("a file of another length", code="courier_damaged")
            await self._uploads.import_file(row, iter(partial(content.read, 1 << 20), b""))

    async def _item_status(self, kiosk: Kiosk, kind: str, item_id: str) -> Json:
        if kind == "filing":
            status = await self._registry.describe(kiosk, item_id)
            copied_keys = ("number", "provisional", "state", "registered_at")
            more = {key: status[key] for key in copied_keys} | {"problem": None}
        else:
            status = await self._deliveries.describe(kiosk.id, kind, item_id)
            more = {"problem": status["problem"]}
        return {"kind": kind, "id": item_id, "receipt": status["receipt"], **more}

    def _write_answer(self, folder: Path, pack: Json, answers: list[Json]) -> None:
        """Write the signed answer to the drive.

        Raises:
            CourierError: the drive cannot be written; importing it again is harmless.
        """
        answer: Json = {
            "format": FORMAT,
            "pack": pack["pack"],
            "kiosk": pack["kiosk"],
            "at": format_wall(),
            "items": answers,
        }
        answer["signature"] = self._signer.sign(signed_bytes(answer))
        answer["certificate"] = self._signer.certificate
        try:
            write_json(folder / RECEIPT, answer)
        except KioskError as error:
            raise CourierError(
                f"{folder}: taken in, but the receipt cannot be written: {error}. Ingest again."
            ) from error


def _read_registration(tar: tarfile.TarFile, item: Json) -> bytes:
    """Return the registration at the beginning of an item's tar, as a request's body."""
    first = tar.next()
    content = tar.extractfile(first) if first is not None and first.name == ITEM else None
    if first is None or content is None or first.size > MAX_REGISTRATION_BYTES:
        raise CourierError("no registration in it", code="courier_damaged")
    value = json.loads(content.read())
    if (value.get("kind"), value.get("id")) != (item["kind"], item["id"]):
        raise CourierError("another item's registration", code="courier_damaged")
    return json.dumps(value.get("body")).encode()


@contextmanager
def _open_tar(stream: BinaryIO) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(mode="r|", fileobj=stream) as tar:
            yield tar
    except (tarfile.TarError, ValueError) as error:
        raise CourierError(f"damaged: {error}", code="courier_damaged") from error


@contextmanager
def _decrypt_stream(reader: PieceReader, keys: list[pyrage.x25519.Identity]) -> Iterator[BinaryIO]:
    """Yield the plain stream of an age file; raise its errors at the end.

    Raises:
        CourierError: damaged, or another court's key.
    """
    source, sink = os.pipe()
    failures: list[BaseException] = []

    def produce() -> None:
        try:
            with os.fdopen(sink, "wb") as stream:
                pyrage.decrypt_io(reader, stream, keys)
        except Exception as error:  # carried over to the other thread
            failures.append(error)

    producer = threading.Thread(target=produce, name="courier age")
    producer.start()
    problem: Exception | None = None
    try:
        with os.fdopen(source, "rb") as stream:
            yield stream
            while stream.read(1 << 20):  # to the end, where the hash of the last piece is checked
                pass
    except CourierError as error:
        problem = error
    finally:
        producer.join()
    if reader.error is not None:
        raise reader.error
    for cause in failures:
        if isinstance(cause, pyrage.DecryptError):
            raise CourierError(
                "the key does not open it, or it is damaged", code="courier_no_key"
            ) from cause
        if not isinstance(cause, BrokenPipeError):
            raise CourierError(f"cannot be read: {cause}", code="courier_damaged") from cause
    if problem is not None:
        raise problem
