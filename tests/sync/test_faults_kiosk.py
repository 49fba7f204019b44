"""What can go wrong on the kiosk: database, a second process, damaged folders, no identity."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import stat
from pathlib import Path

import pytest

from kiosk.cli import main
from kiosk.services.sync_lock import AlreadyRunningError, acquire_lock
from kiosk.sync.enrolment import EnrolmentError, enrol
from tests.support.delivery_rig import KIOSK, Central, Kiosk, short_folder, temporary_kiosk
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow


def databases_set_aside(kiosk: Kiosk) -> list[Path]:
    """Return the databases that were set aside."""
    return list(kiosk.paths.database.parent.glob("kiosk.db.damaged-*"))


def damage(path: Path) -> None:
    """Overwrite the pages of a database, its log included."""
    for file in path.parent.glob("kiosk.db*"):
        with file.open("r+b") as writer:
            size = file.stat().st_size
            writer.write(b"\xa5" * size)


def deliver_some(kiosk: Kiosk) -> tuple[str, str, str]:
    """Deliver a hearing and a filing; return their ids and the filing's number."""
    hearing, filing = kiosk.make_hearing(video=5000, files=1), kiosk.make_filing()
    kiosk.request("POST", f"/v1/filings/{filing}/register")
    kiosk.wait_delivered("hearing", hearing)
    kiosk.wait_delivered("filing", filing)
    return hearing, filing, kiosk.get(f"/v1/filings/{filing}")["number"]


@pytest.mark.parametrize("how", ["garbage", "empty_file", "deleted"])
def test_lost_database_is_rebuilt_from_folders_and_receipts(kiosk: Kiosk, how: str) -> None:
    kiosk.start_in_thread()
    hearing, filing, number = deliver_some(kiosk)
    kiosk.stop()
    if how == "garbage":
        damage(kiosk.paths.database)
    else:
        for file in kiosk.paths.database.parent.glob("kiosk.db*"):
            file.unlink()
        if how == "empty_file":
            kiosk.paths.database.touch()
    waiting = kiosk.make_report()
    kiosk.start_in_thread()
    assert bool(databases_set_aside(kiosk)) == (how == "garbage")
    assert kiosk.state()["database"] == ("ok" if how == "deleted" else "rebuilt")
    assert ("database_rebuilt" in kiosk.alarms()) == (how != "deleted")
    assert kiosk.get(f"/v1/hearings/{hearing}")["state"] == "delivered"
    known = kiosk.get(f"/v1/filings/{filing}")
    assert (known["number"], known["delivered"]) == (number, True)
    kiosk.wait_delivered("report", waiting)


def test_database_damaged_while_running_is_rebuilt(kiosk: Kiosk) -> None:
    kiosk.start_in_thread()
    hearing, filing, number = deliver_some(kiosk)
    damage(kiosk.paths.database)
    report = kiosk.make_report()
    wait_for(
        lambda: kiosk.request("GET", "/v1/state")[1].get("database") == "rebuilt",
        "the rebuilding",
    )
    kiosk.wait_delivered("report", report)
    assert kiosk.get(f"/v1/hearings/{hearing}")["state"] == "delivered"
    assert kiosk.get(f"/v1/filings/{filing}")["number"] == number
    assert databases_set_aside(kiosk)


def test_provisional_numbers_survive_the_loss_of_the_database(
    own_central: Central, own_kiosk: Kiosk
) -> None:
    kiosk = own_kiosk
    kiosk.start_in_thread()
    first = kiosk.request("POST", f"/v1/filings/{kiosk.make_filing()}/register")[1]["number"]
    kiosk.stop()
    damage(kiosk.paths.database)
    kiosk.start_in_thread()
    second = kiosk.request("POST", f"/v1/filings/{kiosk.make_filing()}/register")[1]["number"]
    assert (first[-4:], second[-4:]) == ("-001", "-002")
    assert not own_central.log.exists()


def test_locked_database_is_waited_for(kiosk: Kiosk) -> None:
    kiosk.start_in_thread()
    wait_for(lambda: kiosk.state()["link"]["state"] == "up", "the link")
    with contextlib.closing(sqlite3.connect(kiosk.paths.database)) as other:
        other.isolation_level = None
        other.execute("BEGIN EXCLUSIVE")
        report = kiosk.make_report()
        wait_for(lambda: "storage_failed" in kiosk.alarms(), "the alarm")
        other.execute("COMMIT")
    kiosk.wait_delivered("report", report)
    wait_for(lambda: "storage_failed" not in kiosk.alarms(), "the alarm's end")


def test_second_process_refuses_with_a_sentence(
    kiosk: Kiosk, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = acquire_lock(kiosk.paths)
    try:
        for command in ("sync", "reindex"):
            assert main(["--config", str(kiosk.config), command]) == 1
            printed = capsys.readouterr().err
            assert "another kiosk process" in printed
            assert "Stop it first" in printed
    finally:
        lock.close()


def test_lock_is_held_between_processes(kiosk: Kiosk) -> None:
    kiosk.start()
    with pytest.raises(AlreadyRunningError):
        acquire_lock(kiosk.paths)
    kiosk.kill()
    acquire_lock(kiosk.paths).close()


def test_reindex_by_hand(kiosk: Kiosk, capsys: pytest.CaptureFixture[str]) -> None:
    kiosk.start_in_thread()
    hearing, _, _ = deliver_some(kiosk)
    kiosk.stop()
    kiosk.make_report()
    assert main(["--config", str(kiosk.config), "reindex"]) == 0
    printed = capsys.readouterr().out
    assert "1 filing(s) delivered" in printed
    assert "1 hearing(s) delivered" in printed
    assert "1 report(s) queued" in printed
    assert databases_set_aside(kiosk)
    kiosk.start_in_thread()
    assert kiosk.get(f"/v1/hearings/{hearing}")["state"] == "delivered"


def test_file_damaged_after_the_seal_is_named_and_the_rest_delivered(
    central: Central, kiosk: Kiosk
) -> None:
    hearing = kiosk.make_hearing(video=5000, files=2)
    broken = kiosk.paths.hearings / hearing / "part-01/main/run-01/000001.m4s"
    good = broken.read_bytes()
    broken.write_bytes(bytes([good[0] ^ 1]) + good[1:])
    kiosk.start_in_thread()
    answer = kiosk.wait_state("hearing", hearing, "failed")
    assert answer["problem"] == "file_changed"
    assert answer["central_sha256_match"] is False
    assert "hash_mismatch" in kiosk.alarms()
    query = f"SELECT count(*) FROM uploads WHERE owner = '{hearing}' AND state = 'complete'"
    assert central.query(query) == [(answer["files"] - 1,)]
    assert not (kiosk.paths.receipts / f"{hearing}.json").exists()
    broken.write_bytes(good)  # say, copied back from the mirror
    kiosk.request("POST", "/v1/deliver")
    kiosk.wait_delivered("hearing", hearing)
    wait_for(lambda: kiosk.alarms() == set(), "no alarm")


def test_incomplete_folders_do_not_stop_the_others(kiosk: Kiosk) -> None:
    broken = kiosk.make_hearing(video=1000, files=1)
    (kiosk.paths.hearings / broken / "part-01/part.json").unlink()
    empty = kiosk.make_filing()
    (kiosk.paths.filings / empty / "document.pdf").unlink()
    escaping = kiosk.make_report()
    (kiosk.paths.reports / escaping / "SHA256SUMS").write_text("0" * 64 + "  ../../secret\n")
    report = kiosk.make_report()
    kiosk.start_in_thread()
    kiosk.wait_delivered("report", report)
    wait_for(lambda: "delivery_failed" in kiosk.alarms(), "the alarm")
    assert kiosk.request("POST", f"/v1/filings/{empty}/register")[0] == 409
    assert kiosk.request("GET", "/v1/hearings/nonsense")[0] == 404


def test_not_enrolled_runs_and_enrolment_takes_effect(template: Path, central: Central) -> None:
    folder = short_folder()
    kiosk = Kiosk(folder / "k", central.url, None)
    try:
        kiosk.start_in_thread()
        wait_for(lambda: kiosk.state()["link"]["problem"] == "not_enrolled", "the problem")
        assert "not_enrolled" in kiosk.alarms()
        filing = kiosk.make_filing()
        answer = kiosk.request("POST", f"/v1/filings/{filing}/register")[1]
        assert answer["state"] == "provisional"
        code = central.run_task("enrol-code", KIOSK)
        wrong = ("A" if code[0] != "A" else "B") + code[1:]
        with pytest.raises(EnrolmentError, match="unknown or has expired"):
            enrol(kiosk.paths, KIOSK, wrong, central.url, None)
        other = code[:-1] + ("A" if code[-1] != "A" else "B")
        with pytest.raises(EnrolmentError, match="answering in the central system's place"):
            enrol(kiosk.paths, KIOSK, other, central.url, None)
        with pytest.raises(EnrolmentError, match="no enrolment code"):
            enrol(kiosk.paths, KIOSK, "1234", central.url, None)
        with pytest.raises(EnrolmentError, match="id"):
            enrol(kiosk.paths, "kiosk-0002", code, central.url, None)
        assert not kiosk.paths.device_certificate.exists()
        ca = central.data / "authority" / "ca.crt"
        done = enrol(kiosk.paths, KIOSK, code, central.url, ca)
        assert (done.kiosk_id, done.is_new) == (KIOSK, True)
        again = enrol(kiosk.paths, KIOSK, code, central.url, ca)
        assert not again.is_new
        for secret in (kiosk.paths.device_key, kiosk.paths.device_certificate):
            assert stat.S_IMODE(secret.stat().st_mode) == 0o640
        assert {path.name for path in kiosk.paths.device_key.parent.iterdir()} == {
            "device.key",
            "device.crt",
            "ca.crt",
            "court.age",
            "escrow.age",
        }
        wait_for(lambda: kiosk.state()["link"]["state"] == "up", "the link")
        kiosk.wait_delivered("filing", filing)
        wait_for(lambda: kiosk.alarms() == set(), "no alarm")
    finally:
        kiosk.stop()
        shutil.rmtree(folder, ignore_errors=True)
    assert template.exists()


def test_enrolment_broken_off_is_finished_by_the_same_code(
    template: Path, central: Central
) -> None:
    code = central.run_task("enrol-code", KIOSK)
    with temporary_kiosk(template, central.url) as kiosk:
        identity = kiosk.paths.device_key.parent
        shutil.rmtree(identity)
        central.set_faults({"fault": "forget", "match": "POST /v1/enrol", "times": 1})
        with pytest.raises(Exception, match="Connection"):
            enrol(kiosk.paths, KIOSK, code, central.url, None)
        key = (identity / "enrol.key").read_bytes()
        assert enrol(kiosk.paths, KIOSK, code, central.url, None).is_new
        assert kiosk.paths.device_key.read_bytes() == key
        (identity / "device.crt").rename(identity / "next.crt")  # a crash between two renames
        assert not enrol(kiosk.paths, KIOSK, code, central.url, None).is_new
        shutil.rmtree(identity)
        with pytest.raises(EnrolmentError, match="used for another kiosk"):
            enrol(kiosk.paths, KIOSK, code, central.url, None)


def test_enroll_command_speaks_plainly(kiosk: Kiosk, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["--config", str(kiosk.config), "enroll", "--code", "AAAA"]
    assert main(command) == 0
    assert f"{KIOSK} was enrolled already" in capsys.readouterr().out
    shutil.rmtree(kiosk.paths.device_key.parent)
    assert main(command) == 1
    assert "This is no enrolment code" in capsys.readouterr().err
