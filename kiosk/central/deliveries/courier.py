"""Takes couriers' media in (``kiosk central ingest``): decrypted, checked, stored, receipted.

It may run beside a serving central system on the same data. What a medium holds goes the way of
any delivery: registered by UUID and SHA-256, hashed from the store, receipted once. Taking the same
medium in again gives the same receipts; what also came by network is not doubled.
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
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import BaseModel
from sqlalchemy import Row

from kiosk.central.contract import FilingRegistration, HearingManifest, ReportManifest, parse
from kiosk.central.data.database import Database
from kiosk.central.data.store import Store
from kiosk.central.deliveries.deliveries import Deliveries, files_of, manifest_of
from kiosk.central.deliveries.registry import Registry
from kiosk.central.deliveries.uploads import COMPLETE, Uploads
from kiosk.central.errors import RefusedError
from kiosk.central.identity import enrolment
from kiosk.central.identity.authority import Authority, ReceiptSigner
from kiosk.central.identity.enrolment import Kiosk
from kiosk.clocks import wall_text
from kiosk.errors import KioskError
from kiosk.exchange.courier_format import (
    FILES,
    FORMAT,
    ITEM,
    PACK,
    RECEIPT,
    CourierError,
    JoinedReader,
    Json,
    packs_of,
    read_json,
    signed_bytes,
)
from kiosk.exchange.receipt_signature import signature_holds
from kiosk.storage.atomic_io import write_json

log = logging.getLogger(__name__)

LARGEST_ITEM = 32 << 20  # of the registration alone
Tell = Callable[[str], None]


@dataclass
class Ingested:
    """What came of it: items with a receipt, and what was not taken (place: code)."""

    receipted: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


def read_key(path: Path) -> list[pyrage.x25519.Identity]:
    """Return the court's secret age keys in a file as ``age-keygen`` writes it.

    Raises:
        CourierError: ``courier_no_key``, there is none in it.
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


class Ingest:
    """Takes media in.

    Args:
        database: of the central system.
        store: of delivered bytes.
        authority: issued the kiosks' certificates.
        spool: a folder of its own for files that are being taken.
    """

    def __init__(self, database: Database, store: Store, authority: Authority, spool: Path) -> None:
        self._database = database
        self._authority = authority
        self._signer = ReceiptSigner(*authority.present_server_files())
        self._uploads = Uploads(database, store, spool, self._signer)
        self._deliveries = Deliveries(database, store, self._uploads, self._signer)
        self._registry = Registry(database, self._deliveries)

    async def run(self, medium: Path, keys: list[pyrage.x25519.Identity], tell: Tell) -> Ingested:
        """Take every pack of ``medium`` in; trouble with one does not stop the others.

        Raises:
            CourierError: there is no pack, or the medium cannot be read or written.
        """
        done = Ingested()
        for folder in packs_of(medium):
            try:
                await self._pack(folder, keys, done, tell)
            except (CourierError, RefusedError) as error:
                if error.code == "courier_medium":
                    raise
                log.error("%s: %s", folder, error)
                done.refused[str(folder)] = error.code
        await self._uploads.close()
        return done

    async def _pack(
        self, folder: Path, keys: list[pyrage.x25519.Identity], done: Ingested, tell: Tell
    ) -> None:
        about = read_json(folder / PACK)
        if about is None:
            raise CourierError(
                f"{folder}: the pack is not finished: pack again", code="courier_damaged"
            )
        kiosk = await self._database.reading(lambda connection: self._author(connection, about))
        if (about["kiosk"], about["pack"]) != (folder.parent.name, folder.name):
            raise CourierError(f"{folder}: not in its place", code="courier_damaged")
        answers = []
        for item in about["items"]:
            tell(f"{item['kind']} {item['id']} of {kiosk.id}")
            try:
                answer = await self._item(kiosk, folder, item, keys)
            except (CourierError, RefusedError) as error:
                if error.code == "courier_medium":
                    raise
                log.error("%s %s: %s", item["kind"], item["id"], error)
                done.refused[item["id"]] = error.code
                continue
            answers.append(answer)
            if answer["receipt"] is None:
                done.refused[item["id"]] = answer["problem"] or "no_receipt"
            else:
                done.receipted.append(item["id"])
        self._answer(folder, about, answers)

    def _author(self, connection: Any, about: Json) -> Kiosk:
        """Return the kiosk that has signed a pack.

        Raises:
            CourierError: not signed by a kiosk of this court.
            RefusedError: its certificate is unknown or revoked.
        """
        try:
            if about["format"] != FORMAT:
                raise CourierError("a newer kiosk's pack: update", code="courier_damaged")
            certificate = x509.load_pem_x509_certificate(about["certificate"].encode("ascii"))
            certificate.verify_directly_issued_by(self._authority.root)
            key = certificate.public_key()
            genuine = isinstance(key, ec.EllipticCurvePublicKey) and signature_holds(
                key, signed_bytes(about), about["signature"]
            )
            names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
            name = str(names[0].value)
        except (KeyError, ValueError, TypeError, AttributeError, IndexError) as error:
            raise CourierError("not a kiosk's pack", code="courier_damaged") from error
        except CourierError:
            raise
        except Exception as error:  # InvalidSignature has no base of its own
            raise CourierError("not a kiosk of this court", code="courier_foreign") from error
        if not genuine or name != about["kiosk"]:
            raise CourierError("not signed by its kiosk", code="courier_damaged")
        return enrolment.identify(connection, name, f"{certificate.serial_number:x}")

    async def _item(
        self, kiosk: Kiosk, folder: Path, item: Json, keys: list[pyrage.x25519.Identity]
    ) -> Json:
        reader = JoinedReader(folder, item["pieces"])
        with _decrypted(reader, keys) as stream, _tar(stream) as tar:
            body = await asyncio.to_thread(_registration, tar, item)
            answer = await self._register(kiosk, item["kind"], item["id"], body)
            if answer["receipt"] is None:
                await self._take_files(tar, item["id"])
        return await self._standing(kiosk, item["kind"], item["id"])

    async def _register(self, kiosk: Kiosk, kind: str, item_id: str, body: bytes) -> Json:
        if kind == "filing":
            return await self._registry.register(kiosk, item_id, parse(FilingRegistration, body))
        request: BaseModel
        if kind == "hearing":
            request = hearing = parse(HearingManifest, body)
            if hearing.hearing.id != item_id:
                raise CourierError("another hearing's registration", code="courier_damaged")
            manifest = manifest_of(kind, request, hearing.files, final=hearing.final)
        else:
            report = parse(ReportManifest, body)
            manifest = manifest_of(kind, report, report.files)
        return await self._deliveries.put(kiosk.id, item_id, manifest)

    async def _take_files(self, tar: tarfile.TarFile, item_id: str) -> None:
        """Store what is still missing; hashes decide, as always."""
        rows = await self._database.reading(lambda connection: files_of(connection, item_id))
        wanted: dict[str, Row[Any]] = {row.path: row for row in rows if row.state != COMPLETE}
        while (member := await asyncio.to_thread(tar.next)) is not None:
            row = wanted.get(member.name.removeprefix(FILES))
            content = tar.extractfile(member) if member.isfile() else None
            if row is None or content is None:
                continue
            if member.size != row.size:
                raise CourierError("a file of another length", code="courier_damaged")
            await self._uploads.bring(row, iter(partial(content.read, 1 << 20), b""))

    async def _standing(self, kiosk: Kiosk, kind: str, item_id: str) -> Json:
        if kind == "filing":
            about = await self._registry.describe(kiosk, item_id)
            kept = ("number", "provisional", "state", "registered_at")
            more = {key: about[key] for key in kept} | {"problem": None}
        else:
            about = await self._deliveries.describe(kiosk.id, kind, item_id)
            more = {"problem": about["problem"]}
        return {"kind": kind, "id": item_id, "receipt": about["receipt"], **more}

    def _answer(self, folder: Path, about: Json, answers: list[Json]) -> None:
        """Write the signed answer onto the medium.

        Raises:
            CourierError: the medium refuses; taking it in again is harmless.
        """
        answer: Json = {
            "format": FORMAT,
            "pack": about["pack"],
            "kiosk": about["kiosk"],
            "at": wall_text(),
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


def _registration(tar: tarfile.TarFile, item: Json) -> bytes:
    """Return the registration at the beginning of an item's tar, as a request's body."""
    first = tar.next()
    content = tar.extractfile(first) if first is not None and first.name == ITEM else None
    if first is None or content is None or first.size > LARGEST_ITEM:
        raise CourierError("no registration in it", code="courier_damaged")
    value = json.loads(content.read())
    if (value.get("kind"), value.get("id")) != (item["kind"], item["id"]):
        raise CourierError("another item's registration", code="courier_damaged")
    return json.dumps(value.get("body")).encode()


@contextmanager
def _tar(stream: BinaryIO) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(mode="r|", fileobj=stream) as tar:
            yield tar
    except (tarfile.TarError, ValueError) as error:
        raise CourierError(f"damaged: {error}", code="courier_damaged") from error


@contextmanager
def _decrypted(reader: JoinedReader, keys: list[pyrage.x25519.Identity]) -> Iterator[BinaryIO]:
    """Give the plain stream of an age file; what was wrong with it is raised at the end.

    Raises:
        CourierError: damaged, or another court's key.
    """
    source, sink = os.pipe()
    failed: list[BaseException] = []

    def produce() -> None:
        try:
            with os.fdopen(sink, "wb") as stream:
                pyrage.decrypt_io(reader, stream, keys)
        except Exception as error:  # carried over to the other thread
            failed.append(error)

    producer = threading.Thread(target=produce, name="courier age")
    producer.start()
    problem: Exception | None = None
    try:
        with os.fdopen(source, "rb") as stream:
            yield stream
            while stream.read(1 << 20):  # to the end: the last piece's hash is checked there
                pass
    except CourierError as error:
        problem = error
    finally:
        producer.join()
    if reader.error is not None:
        raise reader.error
    for cause in failed:
        if isinstance(cause, pyrage.DecryptError):
            raise CourierError(
                "the key does not open it, or it is damaged", code="courier_no_key"
            ) from cause
        if not isinstance(cause, BrokenPipeError):
            raise CourierError(f"cannot be read: {cause}", code="courier_damaged") from cause
    if problem is not None:
        raise problem
