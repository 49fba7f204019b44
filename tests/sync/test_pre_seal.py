"""Finished minutes of a running hearing, closings since a moment before, state secrets."""

from __future__ import annotations

import hashlib
import os
from functools import partial
from pathlib import Path

import pytest

from kiosk.evidence.chain import SignHead
from kiosk.evidence.journal_file import JournalFile
from kiosk.evidence.seal import seal_folder
from kiosk.evidence.signer import sign_head
from kiosk.sync.context import SyncContext
from tests.support.delivery_rig import Central, Kiosk, count_uploads
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow

MINUTE = "main/run-01/000000.m4s"


def finish_file(kiosk: Kiosk, hearing: str, name: str = MINUTE, what: str = "media") -> str:
    """Have part 1's journal say that a file is finished; return its SHA-256."""
    part = kiosk.paths.hearings / hearing / "part-01"
    content = (part / name).read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    add_entry(
        part / "journal.jsonl",
        "file",
        {"file": name, "what": what, "length": len(content), "sha256": digest},
    )
    return digest


def add_entry(
    path: Path, kind: str, fields: dict[str, object], sign: SignHead | None = None
) -> None:
    journal = (
        JournalFile.reopen(path, sign=sign)[0]
        if path.exists()
        else JournalFile.create(path, sign=sign)
    )
    journal.append(kind, fields)
    journal.close()


def seal_hearing(kiosk: Kiosk, hearing: str) -> None:
    """Seal what has changed since, and the hearing."""
    folder, signer = kiosk.paths.hearings / hearing, kiosk.signer()
    for part in sorted(folder.glob("part-*")):
        seal_folder(part, signer)
    seal_folder(folder, signer)


def uploads_by_path(central: Central, hearing: str) -> list[tuple[str, str]]:
    """Return path and state of a hearing's uploads."""
    query = f"SELECT path, state FROM uploads WHERE owner = '{hearing}' ORDER BY path"
    return [(row[0], row[1]) for row in central.query(query)]


def test_finished_minutes_leave_while_the_hearing_runs_and_count_at_the_end(
    central: Central, kiosk: Kiosk
) -> None:
    kiosk.change_settings("sync", minutes_early=True)
    kiosk.start_in_thread()
    hearing = kiosk.make_hearing(sealed=False, files=2, video=30_000)
    finish_file(kiosk, hearing)
    finish_file(kiosk, hearing, "main/run-01/000001.m4s", "playlist")  # changes at the end: stays
    path = f"part-01/{MINUTE}"
    wait_for(lambda: uploads_by_path(central, hearing) == [(path, "complete")], "the minute")
    assert kiosk.state()["queue"]["hearings"] == 0
    kiosk.stop()
    for file in kiosk.paths.database.parent.glob("kiosk.db*"):
        file.unlink()  # nothing is sent twice although nobody remembers
    seal_hearing(kiosk, hearing)
    kiosk.start_in_thread()
    kiosk.wait_delivered("hearing", hearing)
    assert uploads_by_path(central, hearing).count((path, "complete")) == 1
    assert count_uploads(central, hearing, "receiving") == 0


def test_a_minute_broken_off_goes_on_under_the_manifest(central: Central, kiosk: Kiosk) -> None:
    kiosk.change_settings("sync", minutes_early=True)
    central.set_faults({"fault": "drip", "match": "PATCH", "rate": 100_000})
    kiosk.start()
    hearing = kiosk.make_hearing(sealed=False, files=1, video=900_000)
    finish_file(kiosk, hearing)
    (upload,) = wait_for(
        lambda: central.query(f"SELECT id FROM uploads WHERE owner = '{hearing}'"), "the upload"
    )
    spooled = central.data / "spool" / upload[0]
    wait_for(lambda: spooled.exists() and spooled.stat().st_size > 50_000, "some bytes")
    kiosk.kill()
    central.set_faults()
    seal_hearing(kiosk, hearing)
    kiosk.start_in_thread()
    kiosk.wait_delivered("hearing", hearing)
    minutes = [row for row in uploads_by_path(central, hearing) if row[0] == f"part-01/{MINUTE}"]
    assert minutes == [(minutes[0][0], "complete")]
    done = central.query(f"SELECT state FROM uploads WHERE id = '{upload[0]}'")
    assert done == [("complete",)]


def test_closed_since_deletes_there_what_had_left_and_delivers_what_replaces_it(
    central: Central, kiosk: Kiosk
) -> None:
    kiosk.change_settings("sync", minutes_early=True)
    kiosk.start_in_thread()
    hearing = kiosk.make_hearing(sealed=False, files=1, video=30_000)
    digest = finish_file(kiosk, hearing)
    path = f"part-01/{MINUTE}"
    wait_for(lambda: uploads_by_path(central, hearing) == [(path, "complete")], "the minute")
    part = kiosk.paths.hearings / hearing / "part-01"
    secret = os.urandom(31_000)
    (part / "main.tar").write_bytes(secret)
    (part / MINUTE).unlink()
    by = {"by": "main.tar", "by_sha256": hashlib.sha256(secret).hexdigest()}
    replaced = [{"part": 1, "file": MINUTE, "sha256": digest, **by}]
    sign = partial(sign_head, kiosk.signer(), hearing, 0)
    add_entry(part.parent / "journal.jsonl", "closed_since", {"replaced": replaced}, sign)
    wait_for(lambda: uploads_by_path(central, hearing) == [(path, "closed")], "the closing")
    seal_hearing(kiosk, hearing)
    kiosk.wait_delivered("hearing", hearing)
    kept = central.data / "store" / "hearings" / hearing / "part-01"
    assert (kept / "main.tar").read_bytes() == secret
    assert not (kept / MINUTE).exists()
    content = {path.read_bytes() for path in (central.data / "store/objects").rglob("*-*")}
    assert digest not in {hashlib.sha256(data).hexdigest() for data in content}


def test_a_closing_line_that_names_no_file_stops_nothing(kiosk: Kiosk) -> None:
    kiosk.start_in_thread()
    hearing = kiosk.make_hearing(sealed=False, files=1, video=1000)
    chain = kiosk.paths.hearings / hearing / "journal.jsonl"
    for replaced in ([{"part": 1}], [{"part": 1, "file": "../../x", "sha256": "0" * 64}], "x"):
        add_entry(chain, "closed_since", {"replaced": replaced})
    seal_hearing(kiosk, hearing)
    kiosk.wait_delivered("hearing", hearing)


def test_a_rewritten_journal_is_an_alarm_and_deletes_nothing(
    central: Central, kiosk: Kiosk
) -> None:
    kiosk.start_in_thread()
    hearing = kiosk.make_hearing(sealed=False, files=1, video=1000)
    query = f"SELECT count(*) FROM heads WHERE hearing = '{hearing}'"
    wait_for(lambda: central.query(query) == [(2,)], "the heads")
    journal = kiosk.paths.hearings / hearing / "part-01" / "journal.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b'"bytes":1', b'"bytes":2'))
    seal_hearing(kiosk, hearing)
    kiosk.wait_state("hearing", hearing, "failed")
    assert kiosk.get(f"/v1/hearings/{hearing}")["problem"] == "journal_rewritten"
    assert "journal_rewritten" in kiosk.alarms()
    assert not (kiosk.paths.receipts / f"{hearing}.json").exists()
    central.run_task("accept", hearing, "--reason", "looked into it")
    kiosk.request("POST", "/v1/deliver")
    kiosk.wait_delivered("hearing", hearing)
    wait_for(lambda: kiosk.alarms() == set(), "no alarm")


def test_a_state_secret_never_leaves_by_network(central: Central, kiosk: Kiosk) -> None:
    kiosk.change_settings("sync", minutes_early=True)
    secret = kiosk.make_hearing(sealed=False, files=1, video=1000)
    (kiosk.paths.hearings / secret / "courier-only").touch()
    finish_file(kiosk, secret)
    kiosk.start_in_thread()
    kiosk.add_head(secret, 1)
    wait_for(lambda: kiosk.state()["link"]["state"] == "up", "the link")
    seal_hearing(kiosk, secret)
    public = kiosk.make_hearing(files=1, video=1000)
    kiosk.wait_delivered("hearing", public)
    answer = kiosk.get(f"/v1/hearings/{secret}")
    assert (answer["state"], answer["route"]) == ("queued", "courier")
    assert kiosk.state()["queue"]["courier"] == 1
    kiosk.stop()
    dump = "".join(central.log.read_text(errors="replace"))
    for table in ("uploads WHERE owner", "heads WHERE hearing", "deliveries WHERE id"):
        assert central.query(f"SELECT count(*) FROM {table} = '{secret}'") == [(0,)]
    assert secret not in dump
    heartbeat = central.query("SELECT state FROM kiosks WHERE id = 'kiosk-0001'")[0][0]
    assert secret not in heartbeat


def test_heads_that_wait_for_the_link_stay_when_a_secret_is_named(
    central: Central, kiosk: Kiosk
) -> None:
    """R86: the ground may be named long after the first head; nothing leaves from then on."""
    secret = kiosk.make_hearing(sealed=False, files=1, video=1000)
    before = SyncContext(kiosk.settings, lambda: None)
    before.journal_tailer.poll()
    assert {head.hearing_id for head in before.journal_heads.unsent()} == {secret}
    before.database.close()
    (kiosk.paths.hearings / secret / "courier-only").touch()
    public = kiosk.make_hearing(sealed=False, files=1, video=1000)
    kiosk.start_in_thread()
    count = "SELECT count(*) FROM heads WHERE hearing = '{}'"
    wait_for(lambda: central.query(count.format(public)) == [(2,)], "the other's heads")
    kiosk.stop()
    assert central.query(count.format(secret)) == [(0,)]


def test_what_had_left_before_a_secret_was_named_is_deleted_there(
    central: Central, kiosk: Kiosk
) -> None:
    """R86: plain minutes of a state secret may not stay where they never belonged."""
    kiosk.change_settings("sync", minutes_early=True)
    kiosk.start_in_thread()
    hearing = kiosk.make_hearing(sealed=False, files=1, video=30_000)
    digest, path = finish_file(kiosk, hearing), f"part-01/{MINUTE}"
    wait_for(lambda: uploads_by_path(central, hearing) == [(path, "complete")], "the minute")
    folder = kiosk.paths.hearings / hearing
    (folder / "courier-only").touch()
    (folder / "part-01" / "main.tar").write_bytes(b"encrypted")
    (folder / "part-01" / MINUTE).unlink()
    by = {"by": "main.tar", "by_sha256": hashlib.sha256(b"encrypted").hexdigest()}
    replaced = [{"part": 1, "file": MINUTE, "sha256": digest, **by}]
    sign = partial(sign_head, kiosk.signer(), hearing, 0)
    add_entry(folder / "journal.jsonl", "closed_since", {"replaced": replaced}, sign)
    wait_for(lambda: uploads_by_path(central, hearing) == [(path, "closed")], "the closing")
    kiosk.stop()
    content = {file.read_bytes() for file in (central.data / "store/objects").rglob("*-*")}
    assert digest not in {hashlib.sha256(data).hexdigest() for data in content}
