"""Finished minutes of a running hearing, closings since a moment before, state secrets."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from kiosk.evidence.chain import Journal
from kiosk.evidence.seal import seal_folder
from tests.sync.rig import Central, Kiosk, wait_for
from tests.sync.test_faults_central import uploads_of

MINUTE = "main/run-01/000000.m4s"


def finish(kiosk: Kiosk, hearing: str, name: str = MINUTE, what: str = "media") -> str:
    """Have part 1's journal say that a file is finished; return its SHA-256."""
    part = kiosk.layout.hearings / hearing / "part-01"
    content = (part / name).read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    add_line(
        part / "journal.jsonl",
        "file",
        {"file": name, "what": what, "length": len(content), "sha256": digest},
    )
    return digest


def add_line(path: Path, kind: str, fields: dict[str, object]) -> None:
    journal = Journal.reopen(path)[0] if path.exists() else Journal.create(path)
    journal.append(kind, fields)
    journal.close()


def seal(kiosk: Kiosk, hearing: str) -> None:
    """Seal what has changed since, and the hearing."""
    folder, signer = kiosk.layout.hearings / hearing, kiosk.signer()
    for part in sorted(folder.glob("part-*")):
        seal_folder(part, signer)
    seal_folder(folder, signer)


def early_of(central: Central, hearing: str) -> list[tuple[str, str]]:
    """Return path and state of a hearing's uploads."""
    query = f"SELECT path, state FROM uploads WHERE owner = '{hearing}' ORDER BY path"
    return [(row[0], row[1]) for row in central.rows(query)]


def test_finished_minutes_leave_while_the_hearing_runs_and_count_at_the_end(
    central: Central, kiosk: Kiosk
) -> None:
    kiosk.change("sync", minutes_early=True)
    kiosk.start_here()
    hearing = kiosk.make_hearing(sealed=False, files=2, video=30_000)
    finish(kiosk, hearing)
    finish(kiosk, hearing, "main/run-01/000001.m4s", "playlist")  # changes at the end: stays
    path = f"part-01/{MINUTE}"
    wait_for(lambda: early_of(central, hearing) == [(path, "complete")], "the minute")
    assert kiosk.state()["queue"]["hearings"] == 0
    kiosk.end()
    for file in kiosk.layout.database.parent.glob("kiosk.db*"):
        file.unlink()  # nothing is sent twice although nobody remembers
    seal(kiosk, hearing)
    kiosk.start_here()
    kiosk.wait_delivered("hearing", hearing)
    assert early_of(central, hearing).count((path, "complete")) == 1
    assert uploads_of(central, hearing, "receiving") == 0


def test_a_minute_broken_off_goes_on_under_the_manifest(central: Central, kiosk: Kiosk) -> None:
    kiosk.change("sync", minutes_early=True)
    central.faults({"fault": "drip", "match": "PATCH", "rate": 100_000})
    kiosk.start()
    hearing = kiosk.make_hearing(sealed=False, files=1, video=900_000)
    finish(kiosk, hearing)
    (upload,) = wait_for(
        lambda: central.rows(f"SELECT id FROM uploads WHERE owner = '{hearing}'"), "the upload"
    )
    spooled = central.data / "spool" / upload[0]
    wait_for(lambda: spooled.exists() and spooled.stat().st_size > 50_000, "some bytes")
    kiosk.kill()
    central.faults()
    seal(kiosk, hearing)
    kiosk.start_here()
    kiosk.wait_delivered("hearing", hearing)
    minutes = [one for one in early_of(central, hearing) if one[0] == f"part-01/{MINUTE}"]
    assert minutes == [(minutes[0][0], "complete")]
    done = central.rows(f"SELECT state FROM uploads WHERE id = '{upload[0]}'")
    assert done == [("complete",)]


def test_closed_since_deletes_there_what_had_left_and_delivers_what_replaces_it(
    central: Central, kiosk: Kiosk
) -> None:
    kiosk.change("sync", minutes_early=True)
    kiosk.start_here()
    hearing = kiosk.make_hearing(sealed=False, files=1, video=30_000)
    digest = finish(kiosk, hearing)
    path = f"part-01/{MINUTE}"
    wait_for(lambda: early_of(central, hearing) == [(path, "complete")], "the minute")
    part = kiosk.layout.hearings / hearing / "part-01"
    secret = os.urandom(31_000)
    (part / "main.tar").write_bytes(secret)
    (part / MINUTE).unlink()
    by = {"by": "main.tar", "by_sha256": hashlib.sha256(secret).hexdigest()}
    replaced = [{"part": 1, "file": MINUTE, "sha256": digest, **by}]
    add_line(part.parent / "journal.jsonl", "closed_since", {"replaced": replaced})
    wait_for(lambda: early_of(central, hearing) == [(path, "closed")], "the closing")
    seal(kiosk, hearing)
    kiosk.wait_delivered("hearing", hearing)
    kept = central.data / "store" / "hearings" / hearing / "part-01"
    assert (kept / "main.tar").read_bytes() == secret
    assert not (kept / MINUTE).exists()
    content = {path.read_bytes() for path in (central.data / "store/objects").rglob("*-*")}
    assert digest not in {hashlib.sha256(one).hexdigest() for one in content}


def test_a_closing_line_that_names_no_file_stops_nothing(kiosk: Kiosk) -> None:
    kiosk.start_here()
    hearing = kiosk.make_hearing(sealed=False, files=1, video=1000)
    chain = kiosk.layout.hearings / hearing / "journal.jsonl"
    for replaced in ([{"part": 1}], [{"part": 1, "file": "../../x", "sha256": "0" * 64}], "x"):
        add_line(chain, "closed_since", {"replaced": replaced})
    seal(kiosk, hearing)
    kiosk.wait_delivered("hearing", hearing)


def test_a_rewritten_journal_is_an_alarm_and_deletes_nothing(
    central: Central, kiosk: Kiosk
) -> None:
    kiosk.start_here()
    hearing = kiosk.make_hearing(sealed=False, files=1, video=1000)
    query = f"SELECT count(*) FROM heads WHERE hearing = '{hearing}'"
    wait_for(lambda: central.rows(query) == [(2,)], "the heads")
    journal = kiosk.layout.hearings / hearing / "part-01" / "journal.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b'"bytes":1', b'"bytes":2'))
    seal(kiosk, hearing)
    kiosk.wait_state("hearing", hearing, "failed")
    assert kiosk.get(f"/v1/hearings/{hearing}")["problem"] == "journal_rewritten"
    assert "journal_rewritten" in kiosk.alarms()
    assert not (kiosk.layout.receipts / f"{hearing}.json").exists()
    central.task("accept", hearing, "--reason", "looked into it")
    kiosk.ask("POST", "/v1/deliver")
    kiosk.wait_delivered("hearing", hearing)
    assert kiosk.alarms() == set()


def test_a_state_secret_never_leaves_by_network(central: Central, kiosk: Kiosk) -> None:
    kiosk.change("sync", minutes_early=True)
    secret = kiosk.make_hearing(sealed=False, files=1, video=1000)
    (kiosk.layout.hearings / secret / "courier-only").touch()
    finish(kiosk, secret)
    kiosk.start_here()
    kiosk.add_head(secret, 1)
    wait_for(lambda: kiosk.state()["link"]["state"] == "up", "the link")
    seal(kiosk, secret)
    open_one = kiosk.make_hearing(files=1, video=1000)
    kiosk.wait_delivered("hearing", open_one)
    answer = kiosk.get(f"/v1/hearings/{secret}")
    assert (answer["state"], answer["route"]) == ("queued", "courier")
    assert kiosk.state()["queue"]["courier"] == 1
    kiosk.end()
    dump = "".join(central.log.read_text(errors="replace"))
    for table in ("uploads WHERE owner", "heads WHERE hearing", "deliveries WHERE id"):
        assert central.rows(f"SELECT count(*) FROM {table} = '{secret}'") == [(0,)]
    assert secret not in dump
    said = central.rows("SELECT state FROM kiosks WHERE id = 'kiosk-0001'")[0][0]
    assert secret not in said
