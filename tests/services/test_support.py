"""Help by phone: the bundle holds what the support needs, and nothing of a person or a case."""

from __future__ import annotations

import base64
import gzip
import json
import re
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from kiosk.ipc import ServiceRefusedError
from kiosk.services.support_bundle import LEFT_OUT, clean
from tests.services.conftest import MakeRecorder
from tests.services.recorder_process import KIOSK, RecorderProcess, hearing, staff_rows
from tests.support.mounts import sticks
from tests.support.waiting import wait_for

IIN = "850512300123"
CASE = "7514-26-00-2/987654"
NAMES = ("Құралай", "Жаксыбекова", "Zhaksybekova", "Qanat", "ТОО Ромашка")
TITLE = "О взыскании алиментов"
SECRETS = (IIN, CASE, *NAMES, TITLE)
SOMEBODY = f"{NAMES[0]} {NAMES[1]} {NAMES[2]} {NAMES[3]} {IIN} {CASE} {TITLE} {NAMES[4]}"


def readings(text: str) -> Iterator[str]:
    """Yield ``text`` as it stands, without JSON's escapes, and unpacked from base64 and gzip."""
    yield text
    yield re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found.group(1), 16)), text)
    for packed in re.findall(r"[A-Za-z0-9+/]{40,}={0,2}", text):
        try:
            data = base64.b64decode(packed)
            yield gzip.decompress(data).decode() if data[:2] == b"\x1f\x8b" else data.decode()
        except (ValueError, OSError):
            continue


def found_in(text: str) -> set[str]:
    """Return the secrets that ``text`` holds, in any form and case."""
    said = [reading.casefold() for reading in readings(text)]
    return {secret for secret in SECRETS if any(secret.casefold() in one for one in said)}


def test_the_search_finds_what_is_hidden() -> None:
    """Otherwise the test below proves nothing."""
    packed = base64.b64encode(gzip.compress(SOMEBODY.encode())).decode()
    for text in (SOMEBODY, json.dumps(SOMEBODY), json.dumps({"x": packed}), SOMEBODY.upper()):
        assert found_in(text) == set(SECRETS)


def write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")


def fill(recorder: RecorderProcess) -> None:
    """Put personal data into every place in which the kiosk keeps some, and some more."""
    paths, person = recorder.paths, {"name": SOMEBODY, "iin": IIN}
    listed = {
        **hearing(case_number=CASE, title=TITLE)["hearing"],
        "judge": SOMEBODY,
        "participants": [{"name": SOMEBODY, "role": "plaintiff"}],
    }
    write(paths.schedule, {"pulled_at": "2026-11-28T03:00:00.000Z", "hearings": [listed]})
    rows = [row | {"name": SOMEBODY} for row in staff_rows()]
    recorder.court.publish_staff(paths, KIOSK, rows)
    filing = paths.filings / str(uuid.uuid4())
    write(filing / "filing.json", {"applicant": person, "case_number": CASE})
    write(filing / "draft.json", SOMEBODY)
    write(paths.exports / "copy.json", {"by": SOMEBODY, "application": TITLE})
    write(paths.receipts / "receipt.json", {"number": CASE, "applicant": person})
    write(paths.link_checks / "last.json", {"sentence": SOMEBODY})
    write(paths.sign_in_journal, json.dumps({"person": SOMEBODY}) + "\n")
    write(paths.closed_hearings, {"hearings": [CASE]})
    alarm = {"began": "2026-11-28T03:00:00.000Z", "code": "disk_low"}
    rows = [alarm | {"source": SOMEBODY}, alarm | {"code": SOMEBODY}, alarm | {"began": SOMEBODY}]
    rows += [alarm | {"began": NAMES[2], "ended": NAMES[3]}]
    rows += [alarm | {"code": name, "source": name} for name in NAMES]
    write(paths.alarm_log, {"alarms": rows})
    write(paths.morning_check, {"day": "2026-11-28", "found": [["morning_room_noisy", SOMEBODY]]})
    result = {
        "check": "camera",
        "state": "failed",
        "code": "camera_absent",
        "measured": {
            "text": SOMEBODY,
            SOMEBODY: 4,
            "deep": {SOMEBODY: {SOMEBODY: 7}},
            NAMES[2]: 3,
            NAMES[3]: {"x": 1},
            "fps": 25.0,
        },
        "seconds": 1.0,
        "deviations": {SOMEBODY: 1.0},
        "at": "2026-11-28T03:00:00.000Z",
    }
    report = {
        "kind": "selftest",
        "sequence": 1,
        "person": SOMEBODY,
        "ran": ["camera"],
        "started": SOMEBODY,
        "devices": [person],
        "results": [result],
    }
    write(paths.reports / str(uuid.uuid4()) / "report.json", report)
    named = NAMES[2].lower()  # a microphone that the room's profile has called otherwise since
    values = {"state": "ok", "noise_db": -60.5, named: 5, "device": SOMEBODY}
    heard = result | {"check": "microphones", "code": named, "state": named}
    heard["measured"] = {named: values, "judge": values, "limit_s": 7.5}
    cameras = result | {"measured": {named: 3, "can": {"focus": True, named: True}}}
    asked = report | {"sequence": 2, "started": named, "results": [heard, cameras]}
    write(paths.reports / str(uuid.uuid4()) / "report.json", asked)


SETTINGS = f"""
[filing]
office = {{ kk = "{SOMEBODY}" }}
payment_text = "{SOMEBODY}"
[export]
media = ["DRIVES"]
[voice]
recorded = "/srv/{NAMES[2]}"
[morning_check]
at = ""
[printer]
port = "{NAMES[2].lower()}-pc:9100"
"""


def make(make_recorder: MakeRecorder, drives: Path) -> RecorderProcess:
    """Return a recorder whose settings and folders are full of personal data; it is not started."""
    recorder = make_recorder(extra_settings=SETTINGS.replace("DRIVES", str(drives)))
    toml = recorder.folder / "kiosk.toml"
    kiosk = f'id = "{KIOSK}"\nroom = "{NAMES[1]} {IIN} {CASE}"\ncourt = {{ kk = "{SOMEBODY}" }}'
    toml.write_text(toml.read_text().replace(f'id = "{KIOSK}"', kiosk), encoding="utf-8")
    fill(recorder)
    return recorder


@pytest.mark.slow
def test_no_name_no_iin_no_case_leaves_with_the_bundle(
    make_recorder: MakeRecorder, tmp_path: Path
) -> None:
    """Also while a hearing runs whose parties, title and notes are known to the recorder."""
    recorder = make(make_recorder, tmp_path)
    recorder.start()
    recorder.wait_until_ready()
    recorder.post("/v1/hearings", hearing(case_number=CASE, title=TITLE))
    recorder.post("/v1/hearing/marks", {"type": "opening", "note": SOMEBODY})
    wait_for(lambda: recorder.state()["hearing"], "the hearing")
    assert found_in(json.dumps(recorder.state())) != set()  # it is full of them
    (tmp_path / ".virtual-media").touch()
    (tmp_path / "stick").mkdir()
    answer = recorder.post("/v1/support", {"to_drive": True}, "technician")
    assert re.fullmatch(r"[0-9A-F]{6}", answer["code"])
    assert answer["report"].startswith(answer["code"].lower())
    folder = recorder.paths.reports / answer["report"]
    for file in (*folder.iterdir(), tmp_path / "stick" / answer["file"]):
        text = file.read_bytes().decode("utf-8", "replace")
        assert found_in(text) == set(), file.name
    assert (folder / "SHA256SUMS").is_file()
    bundle = json.loads((folder / "report.json").read_text())["bundle"]
    assert bundle["recorder"]["phase"] == "recording"
    assert bundle["settings"]["camera"]["width"] == 320
    assert [row["name"] for row in bundle["recorder"]["microphones"]] == [
        "microphone 1",
        "microphone 2",
    ]
    heard, camera = bundle["self_tests"][0]["results"]
    assert heard["measured"] == {
        "part 1": {"noise_db": -60.5},
        "microphone 1": {"noise_db": -60.5},
        "limit_s": 7.5,
    }
    assert camera["measured"] == {"can": {"focus": True}}
    (result,) = bundle["self_tests"][1]["results"]
    assert (result["code"], result["measured"]["fps"]) == ("camera_absent", 25.0)
    assert bundle["settings"]["printer"]["port"] == "network"
    assert bundle["services"] == {"recorder": bundle["services"]["recorder"], "sync": None}
    assert "disk_low" in {row["code"] for row in bundle["alarms"]}
    recorder.post("/v1/hearing/end")


def test_without_a_stick_it_says_so_and_makes_no_report(bare_recorder: RecorderProcess) -> None:
    before = set(bare_recorder.paths.reports.glob("*"))
    with pytest.raises(ServiceRefusedError) as refused:
        bare_recorder.post("/v1/support", {"to_drive": True}, "technician")
    assert refused.value.code == "drive_absent"
    assert set(bare_recorder.paths.reports.glob("*")) == before, "told before a report is made"
    with pytest.raises(ServiceRefusedError) as refused:
        bare_recorder.post("/v1/support", role="secretary")
    assert refused.value.code == "sign_in_refused"


@pytest.mark.root
def test_a_full_stick_is_told_as_that_and_not_as_the_kiosk_s_disk(
    make_recorder: MakeRecorder, tmp_path: Path
) -> None:
    drives = tmp_path / "drives"
    drives.mkdir()
    extra = f'[export]\nmedia = ["{drives}"]\n'
    recorder = make_recorder(microphones=None, camera="none", extra_settings=extra)
    with sticks(drives, "stick") as (stick,):
        recorder.start()
        with (stick.folder / "full").open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(1 << 20))
        with pytest.raises(ServiceRefusedError) as refused:
            recorder.post("/v1/support", {"to_drive": True}, "technician")
        assert refused.value.code == "export_medium_failed"
        (stick.folder / "full").unlink()
        answer = recorder.post("/v1/support", {"to_drive": True}, "technician")
        assert [path.name for path in stick.folder.iterdir()] == [answer["file"]]
        recorder.close()


@pytest.mark.parametrize(
    "text",
    [
        *(IIN, CASE, TITLE, NAMES[0], SOMEBODY, str(uuid.UUID(int=7)), f"x{IIN}", "a" * 200),
        *("850512 300 123", "+7 701 123-45-67", "2-1234/2026", "q.zhaksybekova@example.kz"),
    ],
)
def test_what_is_not_technical_is_left_out(text: str) -> None:
    """A name in Latin letters looks like a word: no key that may hold one is sent."""
    assert clean({"key": text, text: 1}) == {"key": LEFT_OUT, LEFT_OUT: 1}


@pytest.mark.parametrize(
    "text",
    ["2026-11-28T03:00:00.000Z", "Linux 6.12.47+rpt-rpi-2712 aarch64", "usb:1-1.2", "0d8c:0014"],
)
def test_what_is_technical_stays(text: str) -> None:
    assert clean(text) == text
