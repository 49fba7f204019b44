"""The log of alarms, and the adoption of a second storage on the screen."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest

from kiosk.api.recorder import Alarm
from kiosk.ipc import ServiceRefusedError
from kiosk.services.alarm_log import LONGEST, AlarmLogService
from kiosk.storage.volume_marker import read_marker
from tests.services.conftest import MakeRecorder
from tests.services.recorder_process import RecorderProcess
from tests.support.waiting import wait_for

DISK, LINK = Alarm(code="disk_low", source="storage"), Alarm(code="central_unreachable")


def test_begin_and_end_are_kept_over_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "log.json"
    log = AlarmLogService(file)
    log.update([DISK], is_clock_trusted=False)
    log.update([DISK, LINK], is_clock_trusted=True)
    log.update([LINK], is_clock_trusted=True)
    log.keep()
    (link, disk) = log.rows()
    assert (link.code, link.lasts, link.ended) == ("central_unreachable", True, None)
    assert (disk.lasts, disk.is_clock_trusted) == (False, False)
    assert disk.ended is not None
    (link, disk) = AlarmLogService(file).rows()
    assert (link.lasts, link.ended) == (False, None)  # nobody saw its end
    assert disk.ended is not None


def test_an_alarm_that_comes_again_is_another_row_and_old_ones_leave(tmp_path: Path) -> None:
    log = AlarmLogService(tmp_path / "log.json")
    for _ in range(LONGEST):
        log.update([DISK], is_clock_trusted=True)
        log.update([DISK], is_clock_trusted=True)
        log.update([], is_clock_trusted=True)
    assert len(log.rows()) == LONGEST
    assert {row.lasts for row in log.rows()} == {False}


def test_a_damaged_log_and_a_full_disk_stop_nothing(tmp_path: Path) -> None:
    file = tmp_path / "log.json"
    file.write_text('{"alarms": [{"code": 7}, "x"]')
    log = AlarmLogService(file)
    assert log.rows() == ()
    file.unlink()
    file.mkdir()
    log.update([DISK], is_clock_trusted=True)
    log.keep()
    file.rmdir()
    log.keep()
    assert [row.code for row in AlarmLogService(file).rows()] == ["disk_low"]


@pytest.mark.parametrize("odd", [{"code": 7}, {}, "x", None, {"code": "disk_full", "lasts": []}])
def test_an_odd_row_loses_no_other_one(tmp_path: Path, odd: object) -> None:
    file = tmp_path / "log.json"
    file.write_text(json.dumps({"alarms": [odd, {"code": "disk_low"}]}))
    rows = AlarmLogService(file).rows()
    assert rows[0].code == "disk_low"
    assert {row.code for row in rows} <= {"disk_low", "disk_full"}


@pytest.mark.parametrize("value", [{"alarms": 7}, {"alarms": None}, [], {"alarms": {}}])
def test_a_log_that_is_none_begins_anew(tmp_path: Path, value: object) -> None:
    file = tmp_path / "log.json"
    file.write_text(json.dumps(value))
    assert AlarmLogService(file).rows() == ()


@pytest.mark.slow
def test_the_recorder_logs_its_alarms(make_recorder: MakeRecorder) -> None:
    recorder = make_recorder(microphones=None, camera="none", volatile_data_ok=False)
    recorder.start()

    def logged() -> list[dict[str, Any]]:
        return list(recorder.call("GET", "/v1/alarm-log")["alarms"])

    active = {row["code"] for row in wait_for(lambda: recorder.state()["alarms"], "an alarm")}
    wait_for(lambda: active <= {row["code"] for row in logged()}, "the alarms in the log")
    assert recorder.stop() == 0
    recorder.start()
    assert active <= {row["code"] for row in logged()}


# -- second storage --------------------------------------------------------------------------------
def adopt(recorder: RecorderProcess, kiosk: str = "", role: str = "technician") -> str:
    """Adopt the second storage; return the code of the refusal, or its new state."""
    try:
        return str(recorder.post("/v1/mirror/adopt", {"kiosk": kiosk}, role)["state"])
    except ServiceRefusedError as error:
        return error.code


@pytest.mark.slow
def test_a_storage_is_adopted_by_a_technician_who_saw_whose_it_was(
    make_recorder: MakeRecorder,
) -> None:
    """Another file system (``/dev/shm``); an unmounted folder beside the data is refused."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as name:
        mirror = Path(name, "mirror")
        mirror.mkdir()
        recorder = make_recorder(microphones=None, camera="none")
        toml = recorder.folder / "kiosk.toml"
        toml.write_text(toml.read_text().replace('run = "', f'mirror = "{mirror}"\nrun = "', 1))
        recorder.start()
        other_device = mirror.stat().st_dev != recorder.paths.data.stat().st_dev
        assert recorder.call("GET", "/v1/mirror")["state"] == "absent"
        if not other_device:
            assert adopt(recorder) == "mirror_refused"
            pytest.skip("no second file system here")
        assert adopt(recorder, role="secretary") == "sign_in_refused"
        assert adopt(recorder, "kiosk-of-others") == "mirror_refused"
        assert read_marker(mirror) is None
        assert adopt(recorder) == "ok"
        found = recorder.call("GET", "/v1/mirror")
        assert (found["state"], found["kiosk"]) == ("ok", "kiosk-0042")
        assert found["free_bytes"] > 0
        recorder.close()


def test_without_a_setting_there_is_none(bare_recorder: RecorderProcess) -> None:
    assert bare_recorder.call("GET", "/v1/mirror")["state"] == "off"
    assert adopt(bare_recorder) == "mirror_off"
