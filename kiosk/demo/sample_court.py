"""The demo's court: a fictional district court, its people, today's list, its voices.

All names are fictional. The Kazakh sentences are our own, in no way a statement of law.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

KIOSK_ID = "kiosk-0004"
ROOM = "4"
TIME_ZONE = "Asia/Almaty"
COURT_NAME = {
    "kk": "Көкжар аудандық соты",
    "ru": "Кокжарский районный суд",
    "en": "Kokzhar District Court",
}


@dataclass(frozen=True)
class Speaker:
    """A person at a microphone: its name, the role, the espeak-ng voice, and the words."""

    microphone: str
    role: str
    voice: str
    speech: str


SPEAKERS = (
    Speaker("judge", "presiding", "kk+m3", "Сот отырысы ашық деп жарияланады. Тараптар келді ме?"),
    Speaker("plaintiff", "plaintiff", "kk+f2", "Мен талабымды толық қолдаймын, құрметті сот."),
    Speaker("defendant", "defendant_civil", "ru+m7", "Мы с требованиями не согласны, ваша честь."),
    Speaker("witness", "witness", "ru+f4", "Я видела, как был подписан договор."),
)
BADGES = {"secretary": "CK-2-7F31A9", "judge": "CK-1-0C55D2", "technician": "CK-3-9B20E4"}


def seed(now: datetime) -> dict[str, Any]:
    """Return the central system's seed: court, kiosk, staff, and today's list around ``now``."""
    return {
        "court": {"id": "7514", "name": COURT_NAME, "timezone": TIME_ZONE},
        "kiosks": [{"id": KIOSK_ID, "room": ROOM}],
        "staff": [
            _person("s-1", "А. Қ. Серікова", "secretary", "4711"),
            _person("j-1", "Б. Т. Оразбеков", "judge", "8020"),
            _person("t-1", "Д. Ә. Нұрланов", "technician", "3691"),
        ],
        "hearings": [
            _hearing("7514-26-00-2/3184", "Қарыз сомасын өндіру туралы", _soon(now)),
            _hearing("7514-26-00-2/3207", "Шартты бұзу туралы", now + timedelta(hours=2)),
            _hearing(
                "7514-26-00-2/3219", "Бала асырап алу туралы", now + timedelta(hours=4), "closed"
            ),
        ],
    }


def _soon(now: datetime) -> datetime:
    """Return a moment within four minutes that is still of the court's day, as its list is."""
    local = now.astimezone(ZoneInfo(TIME_ZONE))
    return min(now + timedelta(minutes=4), local.replace(hour=23, minute=59, second=59))


def _person(number: str, name: str, role: str, pin: str) -> dict[str, Any]:
    return {
        "person": number,
        "name": name,
        "roles": [role],
        "rooms": [ROOM],
        "badge": BADGES[role],
        "pin": pin,
    }


def _hearing(case: str, title: str, at: datetime, publicity: str = "open") -> dict[str, Any]:
    return {
        "room": ROOM,
        "case_number": case,
        "title": title,
        "kind": "civil",
        "scheduled_at": at.isoformat(timespec="seconds"),
        "duration_minutes": 60,
        "format": "offline",
        "publicity": publicity,
        "judge": "Б. Т. Оразбеков",
        "participants": [
            {"name": "Г. Ө. Әбдіғалиева", "role": "plaintiff"},
            {"name": "«Самал-Құрылыс» ЖШС", "role": "defendant_civil"},
            {"name": "Н. В. Ким", "role": "witness"},
        ],
    }


def write_seed(path: Path, now: datetime) -> None:
    """Write the seed file for ``kiosk central --seed``."""
    path.write_text(json.dumps(seed(now), ensure_ascii=False, indent=1), encoding="utf-8")
