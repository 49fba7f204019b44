"""The cost of one file of a delivery: the same in a large recording, and in a full court.

A real ``kiosk sync`` delivers a hearing of small files to a real ``kiosk central`` (SQLite, a
folder) on loopback, from the seal to the receipt. Once the hearing has 1,600 files instead of 80;
once both databases know 100,000 delivered files instead of 1,000 (rows as a delivery leaves them;
their bytes are not there). The goal of 5 ms a file is that of a hearing of 4 h, 490 files.
``KIOSK_BENCH_FILES=160`` makes the large hearing small.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from bench.delivery_site import site_template
from bench.measure import Measure, median_of
from kiosk.central.data import schema
from kiosk.central.server import open_database
from kiosk.clocks import format_wall
from kiosk.storage.database import Database
from tests.support.central_rig import new_id
from tests.support.delivery_rig import KIOSK, Central, Kiosk, temporary_central, temporary_kiosk

FILE_BYTES = 2000
LARGE = int(os.environ.get("KIOSK_BENCH_FILES", "1600"))
SMALL, USUAL = min(80, LARGE), min(490, LARGE)
FEW, MANY = 1_000, 100_000
FILES_PER_HEARING = 500
GOAL_MS = 5.0
TIMEOUT_S = 600.0
RECEIPT = {"receipt": "r", "kind": "file", "files": [], "certificate": "c" * 900, "signature": "s"}


def run(repeats: int) -> list[Measure]:
    """Measure small, usual and large hearings in turn, with few and with many delivered files."""
    with site_template() as template:
        few = [measure(template, FEW, (SMALL, USUAL, LARGE)) for _ in range(repeats)]
        many = [measure(template, MANY, (USUAL,)) for _ in range(max(1, repeats // 2))]
    usual = [result[USUAL] for result in few]
    return [
        median_of(f"a file of {USUAL} in a hearing", "ms", usual, "goal", [GOAL_MS]),
        median_of(
            f"a file of {LARGE:,} in a hearing",
            "ms",
            [result[LARGE] for result in few],
            f"of {SMALL}",
            [result[SMALL] for result in few],
        ),
        median_of(
            f"a file beside {MANY:,} delivered ones",
            "ms",
            [result[USUAL] for result in many],
            f"beside {FEW:,}",
            usual,
        ),
    ]


def measure(template: Path, delivered: int, sizes: tuple[int, ...]) -> dict[int, float]:
    """Return the milliseconds a file by the number of files of a hearing."""
    with running_site(template, delivered) as kiosk:
        return {size: deliver(kiosk, size) for size in sizes}


@contextmanager
def running_site(template: Path, delivered: int) -> Iterator[Kiosk]:
    """Yield a running kiosk whose court has ``delivered`` files already; sync knows them."""
    with (
        temporary_central(template) as central,
        temporary_kiosk(template, central.url) as kiosk,
    ):
        kiosk.change_settings("central", poll_seconds=10.0)
        fill(central, kiosk, delivered)
        central.start()
        kiosk.start()
        deliver(kiosk, 4)  # connections, imports
        yield kiosk


def deliver(kiosk: Kiosk, files: int) -> float:
    """Deliver a hearing of about ``files`` small files; return the milliseconds for each."""
    hearing = kiosk.make_hearing(FILE_BYTES, files=max(1, files // 4))
    folder = kiosk.paths.hearings / hearing
    number = sum(path.is_file() for path in folder.rglob("*"))
    begun = time.monotonic()
    kiosk.request("POST", "/v1/deliver", {})
    kiosk.wait_delivered("hearing", hearing, TIMEOUT_S)
    return (time.monotonic() - begun) * 1000 / number


def fill(central: Central, kiosk: Kiosk, delivered: int) -> None:
    """Write the rows of delivered hearings into both databases."""
    court = open_database(central.data)
    kiosk.paths.database.parent.mkdir(parents=True, exist_ok=True)
    Database(kiosk.paths.database).close()
    with (
        closing(court),
        court.write() as connection,
        closing(sqlite3.connect(kiosk.paths.database)) as outbox,
    ):
        for _ in range(0, delivered, FILES_PER_HEARING):
            hearing, now = new_id(), format_wall()
            uploads = [_upload(hearing, number, now) for number in range(FILES_PER_HEARING)]
            connection.execute(schema.deliveries.insert().values(**_delivery(hearing, now)))
            connection.execute(schema.uploads.insert(), uploads)
            connection.execute(schema.files.insert(), [_file(upload) for upload in uploads])
            outbox.execute(
                "INSERT INTO items (id, kind, state, registered, added_at, delivered_at) "
                "VALUES (?, 'hearing', 'delivered', 1, ?, ?)",
                (hearing, now, now),
            )
            outbox.executemany(
                "INSERT INTO files (item_id, path, size, sha256, lane, sent, state) "
                "VALUES (:owner, :path, :size, :sha256, 1, :size, 'confirmed')",
                uploads,
            )
        outbox.commit()


def _delivery(hearing: str, now: str) -> dict[str, Any]:
    return {
        "id": hearing,
        "kind": "hearing",
        "kiosk": KIOSK,
        "manifest": {"files": []},
        "digest": "0" * 64,
        "final": True,
        "created_at": now,
        "completed_at": now,
        "receipt": RECEIPT,
    }


def _upload(hearing: str, number: int, now: str) -> dict[str, Any]:
    return {
        "id": new_id(),
        "kiosk": KIOSK,
        "kind": "hearing",
        "owner": hearing,
        "path": f"part-01/main/run-01/{number:06d}.m4s",
        "size": FILE_BYTES,
        "sha256": "0" * 64,
        "state": "complete",
        "server_sha256": "0" * 64,
        "receipt": RECEIPT,
        "created_at": now,
        "ended_at": now,
    }


def _file(upload: dict[str, Any]) -> dict[str, Any]:
    keys = ("path", "size", "sha256")
    return {"delivery": upload["owner"], "upload": upload["id"]} | {k: upload[k] for k in keys}
