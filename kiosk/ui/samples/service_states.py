"""Sample states of the services, as JSON in the shape of ``docs/interfaces.md``."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from kiosk.api.base import read_known
from kiosk.api.recorder import RecorderState
from kiosk.clocks import boot_seconds, format_wall
from kiosk.storage.age_stamp import age_stamp

ZONE = ZoneInfo("Asia/Almaty")
NOW = datetime(2026, 11, 23, 9, 52, 14, tzinfo=ZONE)


def at(hour: int, minute: int, second: int = 0) -> str:
    """Return a time of the sample day as RFC 3339 text."""
    return format_wall(NOW.replace(hour=hour, minute=minute, second=second))


def ago(seconds: float) -> str:
    """Return the time ``seconds`` before the sample time as RFC 3339 text."""
    return format_wall(NOW - timedelta(seconds=seconds))


def hearing(number: int = 1, **changes: Any) -> dict[str, Any]:
    """Return a hearing of the list."""
    base: dict[str, Any] = {
        "id": f"00000000-0000-4000-8000-00000000000{number}",
        "case_number": f"7514-26-00-2/{4510 + number}",
        "title": "Ахметов А. – «Қала құрылыс» ЖШС",
        "kind": "civil",
        "scheduled_at": at(10, 0),
        "duration_minutes": 60,
        "format": "offline",
        "publicity": "open",
        "judge": "Серікова Г.",
        "participants": [
            {"name": "Ахметов А.", "role": "plaintiff"},
            {"name": "Ким О.", "role": "representative"},
        ],
    }
    return {**base, **changes}


PERSONS = [
    {"id": "p1", "role": "plaintiff", "name": "Ахметов А.", "attendance": "hall"},
    {"id": "p2", "role": "representative", "name": "Ким О.", "attendance": "online"},
    {"id": "p3", "role": "witness", "name": "Ержан Т.", "seat": "witness"},
    {"id": "p4", "role": "expert", "name": "Цой В.", "attendance": "absent"},
]
"""People of the running hearing."""


LIST = [
    hearing(1),
    hearing(2, scheduled_at=at(11, 30), kind="criminal", publicity="closed", format="offline"),
    hearing(3, scheduled_at=at(14, 0), kind="admin_offence", title="", format="mixed"),
    hearing(4, scheduled_at=at(15, 30), kind="admin_justice", format="online"),
    hearing(5, scheduled_at=at(16, 45), kind="civil"),
]


def schedule(hearings: list[dict[str, Any]] | None = None, age: float = 20) -> dict[str, Any]:
    """Return the answer of ``GET /v1/schedule``."""
    stamp = {**age_stamp(), "uptime": boot_seconds() - age}
    listed = LIST if hearings is None else hearings
    return {"pulled_at": ago(age), "pulled": stamp, "hearings": listed}


def microphones(**states: Any) -> list[dict[str, Any]]:
    """Return four microphones; ``states`` changes single ones."""
    roles = {
        "judge": "presiding",
        "witness": "witness",
        "plaintiff": "plaintiff",
        "defendant": "defendant_civil",
    }
    base = {"state": "ok", "since": ago(6), "heard": at(9, 3)}
    return [
        {"name": name, "role": role, "roles": [role], **base, **states.get(name, {})}
        for name, role in roles.items()
    ]


def recorder(phase: str = "idle", **changes: Any) -> dict[str, Any]:
    """Return the recorder's state."""
    base: dict[str, Any] = {
        "contract": 1,
        "wall": format_wall(NOW),
        "phase": phase,
        "recovered": None,
        "hearing": None,
        "camera": {"state": "ok", "back_end": "virtual", "frames": 100, "dropped": 0},
        "microphones": microphones(),
        "storage": {
            "free_bytes": 212 * 10**9,
            "total_bytes": 500 * 10**9,
            "hours_left": 62.4,
            "state": "ok",
        },
        "clock": {"state": "ok"},
        "proof": {"state": "none", "age_seconds": None, "detail": ""},
        "lamp": "off",
        "alarms": [],
    }
    return read_known(RecorderState, {**base, **changes}).to_json()


MARKS = [
    ("opening", at(9, 10, 58)),
    ("attendance", at(9, 12, 11)),
    ("rights_explained", at(9, 14, 30)),
    ("identity_checked", at(9, 31, 40)),
    ("oath", at(9, 33, 5)),
]


def running(**changes: Any) -> dict[str, Any]:
    """Return the running hearing in the recorder's state."""
    return hearing(
        1,
        **{
            "scheduled_at": at(9, 10),
            "part": 1,
            "parts": 1,
            "seconds": 2537.4,
            "part_seconds": 2537.4,
            "started": at(9, 10),
            "marks": [
                {"id": n, "type": kind, "at": when, "seconds": 60.0 * n, "ended": when}
                for n, (kind, when) in enumerate(MARKS)
            ],
            "persons": PERSONS,
            "due": [
                {"event": "warning_false_testimony", "of": "p3"},
                {"event": "questioning", "of": "p3"},
            ],
            "open_questions": [],
            "interruptions": [],
            **changes,
        },
    )


GOOD_PROOF = {"state": "good", "age_seconds": 2.0, "detail": ""}


def recording(**changes: Any) -> dict[str, Any]:
    """Return the recorder's state while a hearing runs."""
    hearing_changes = changes.pop("hearing", {})
    values = {"hearing": running(**hearing_changes), "proof": GOOD_PROOF, **changes}
    rows = values.get("microphones", ())
    is_heard = all(row["state"] == "ok" or row.get("without") for row in rows)
    is_steady = is_heard and values["proof"]["state"] == "good"
    return recorder("recording", **{"lamp": "steady" if is_steady else "slow", **values})


def sync(link: str = "up", **changes: Any) -> dict[str, Any]:
    """Return sync's state."""
    base: dict[str, Any] = {
        "contract": 1,
        "link": {"state": link, "since": ago(600), "last_contact": ago(5), "problem": None},
        "queue": {"items": 0, "bytes": 0, "filings": 0, "hearings": 0, "reports": 0},
        "schedule": {"pulled_at": ago(20)},
        "delivering": None,
        "database": "ok",
        "alarms": [],
    }
    return {**base, **changes}


SECRETARY = {"token": "t", "person": "p1", "name": "Айгүл Сәрсенова", "roles": ["secretary"]}
TECHNICIAN = {"token": "t", "person": "p2", "name": "Тимур Ли", "roles": ["technician"]}
LEVELS = {
    "judge": {"rms_db": -18.0, "peak_db": -9.0},
    "witness": {"rms_db": -24.0, "peak_db": -12.0},
    "plaintiff": {"rms_db": -57.0, "peak_db": -50.0},
    "defendant": {"rms_db": -60.0, "peak_db": -60.0},
}
