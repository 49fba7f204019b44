"""Postgres or the S3 store gone amid uploads, seals and pages; both are real.

Whatever fails meanwhile is 503 with ``Retry-After``; afterwards everything arrives once and whole.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import select

from kiosk.central.data import schema
from kiosk.central.data.database import POSTGRES_LINE, SILENCE_S, Database
from kiosk.central.errors import RefusedError
from tests.central.external_services import postgres
from tests.central.hearing_sender import HearingSender
from tests.central.swift_server import BUCKET, CREDENTIALS, missing_swift, s3_client, swift
from tests.support.central_rig import Central, Kiosk
from tests.support.service_line import Mode, ServiceLine, tcp_line, unix_line
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
MIB = 1 << 20
SIZES = {"a.m4s": 11 * MIB + 7, "b.m4s": 6 * MIB, "c.m4s": 70_000, "d.json": 0}
PAGES = ("contract", "schedule", "staff", "filings", "ca.crl")


@dataclass
class Court:
    """A server whose lines to Postgres and to the S3 store can fail, and what it has refused."""

    server: Central
    kiosk: Kiosk
    lines: dict[str, ServiceLine]
    endpoint: str
    refused: list[requests.Response] = field(default_factory=list)

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        """Make one call on a connection of its own, as each kiosk would; note a refusal."""
        options["headers"] = options.get("headers", {}) | {"Connection": "close"}
        answer = self.kiosk.call(method, path, **options)
        if not answer.ok:
            self.refused.append(answer)
        return answer

    def ask_patiently(self, method: str, path: str, **options: Any) -> requests.Response:
        """Make one call; pause after a refusal, shorter than Retry-After: more meet the outage."""
        answer = self.ask(method, path, **options)
        if not answer.ok:
            time.sleep(0.3)
        return answer

    def object_names(self) -> set[str]:
        """Return the names of what is in the store, complete or arriving."""
        listed = s3_client(self.endpoint).list_objects_v2(Bucket=BUCKET, Prefix="kz/")
        found = (item["Key"] for item in listed.get("Contents", []))
        return {key for key in found if "hearings/" not in key}


@pytest.fixture(scope="module")
def court(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Court]:
    """A server with lines to both services."""
    if missing := missing_swift():
        pytest.skip(missing)
    folder = tmp_path_factory.mktemp("outages")
    os.environ.update(CREDENTIALS)
    with contextlib.ExitStack() as stack:
        endpoint = stack.enter_context(swift())
        url = stack.enter_context(postgres())
        inner = int(endpoint.rpartition(":")[2])
        store, port = stack.enter_context(tcp_line(inner))
        place = Path(url.partition("host=")[2])
        name = ".s.PGSQL.5432"
        (place / "line").mkdir()
        database = stack.enter_context(unix_line(place / name, place / "line" / name))
        options = (
            *("--database", url + "/line"),
            *("--store", f"s3://{BUCKET}/kz?endpoint=http://127.0.0.1:{port}"),
        )
        server = stack.enter_context(Central(folder / "data", options, database=url))
        lines = {"postgres": database, "s3": store}
        yield Court(server, server.enrol(), lines, endpoint)


@contextlib.contextmanager
def pages_asked_for(court: Court) -> Iterator[None]:
    """Ask for everything that is polled, and for the page of court IT, until the block ends."""
    ended = threading.Event()
    admin = (court.server.data / "admin-address").read_text(encoding="utf-8").strip()

    def poll() -> None:
        while not ended.wait(0.2):
            with contextlib.suppress(requests.RequestException):
                for name in PAGES:
                    court.ask("GET", f"/v1/{name}")
                with requests.Session() as browser:
                    browser.trust_env = False
                    answer = browser.get(admin, timeout=60)
                    if not answer.ok:
                        court.refused.append(answer)

    thread = threading.Thread(target=poll)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(100)


@pytest.mark.parametrize(
    ("service", "mode"), [("postgres", "cut"), ("s3", "cut"), ("postgres", "silent")]
)
def test_what_is_refused_meanwhile_arrives_once_and_whole_afterwards(
    court: Court, service: str, mode: Mode
) -> None:
    before = court.object_names()
    court.refused.clear()
    senders = [
        HearingSender({path: os.urandom(size) for path, size in SIZES.items()}, court.ask_patiently)
        for _ in range(3)
    ]
    with pages_asked_for(court):
        for sender in senders:
            sender.start()
        wait_for(lambda: sum(sender.patches for sender in senders) > 3, "some uploads", 100)
        court.lines[service].set_mode(mode)
        try:
            wait_for(lambda: len(court.refused) > 10, "refusals", 100)
        finally:
            court.lines[service].set_mode("open")
        for sender in senders:
            sender.join(200)
    assert not any(sender.is_alive() for sender in senders)
    statuses = {(answer.status_code, "Retry-After" in answer.headers) for answer in court.refused}
    assert statuses <= {(503, True), (423, True)}, "423: its former request still waits"
    assert (503, True) in statuses
    for sender in senders:
        listed = {file["path"]: file["sha256"] for file in sender.receipt["files"]}
        assert listed == {
            path: hashlib.sha256(content).hexdigest() for path, content in sender.files.items()
        }
        for path, content in sender.files.items():
            got = court.kiosk.call("GET", f"/v1/hearings/{sender.hearing}/files/{path}")
            assert got.content == content
    stored = len(SIZES) * len(senders)
    wait_for(lambda: len(court.object_names() - before) == stored, "each file once, nothing else")


def test_a_silent_database_is_told_to_every_caller_in_time(court: Court) -> None:
    """Twenty callers, more than there are threads that read: none hangs behind the others."""
    answers: list[requests.Response] = []
    court.lines["postgres"].set_mode("silent")
    try:
        callers = [
            threading.Thread(target=lambda: answers.append(court.ask("GET", "/v1/contract")))
            for _ in range(20)
        ]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join(100)
    finally:
        court.lines["postgres"].set_mode("open")
    assert {(answer.status_code, answer.headers["Retry-After"]) for answer in answers} == {
        (503, "2")
    }
    assert len(answers) == 20
    log = court.server.log.read_text(encoding="utf-8")
    told = (f"silent for {SILENCE_S:.0f} s", "connection timeout expired")  # whichever is first
    assert any(f"the database does not answer: {reason}" in log for reason in told)
    assert court.ask("GET", "/v1/contract").ok, "the threads that waited are free again"


def test_a_standby_that_takes_no_writes_is_no_fault_of_the_server() -> None:
    """The address of the database may lead to one for a moment, while it is promoted."""
    with postgres() as url:
        owner = Database(url)
        owner.create_tables()
        owner.close()
        database = Database(f"{url}&options=-c default_transaction_read_only=on")
        new = schema.courts.insert().values(id="1", name={}, timezone="UTC")
        with pytest.raises(RefusedError) as refusal:
            asyncio.run(database.run_write(lambda connection: connection.execute(new)))
        assert (refusal.value.status, refusal.value.retry_after) == (503, 2)
        query = select(schema.courts.c.id)
        read = database.run_read(lambda connection: connection.execute(query).all())
        assert asyncio.run(read) == []
        assert POSTGRES_LINE.items() <= parameters_of(database).items()
        database.close()


def parameters_of(database: Database) -> dict[str, str]:
    """Return what libpq has been told about a connection."""
    with database.engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        found: dict[str, str] = driver.info.get_parameters()
        return found


def test_the_url_has_the_last_word_on_the_line_to_postgres() -> None:
    with postgres() as url:
        database = Database(f"{url}&tcp_user_timeout=7000")
        assert parameters_of(database)["tcp_user_timeout"] == "7000"
        database.close()
