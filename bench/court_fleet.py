"""Courts with many courtrooms: a kiosk, staff and a week of hearings in each, in the database."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from sqlalchemy import Connection

from bench.simulated_kiosks import Identity
from kiosk.central.data import schema
from kiosk.central.data.database import Database
from kiosk.central.identity.authority import CertificateAuthority
from kiosk.central.identity.courts import put_court, put_kiosk
from kiosk.central.identity.enrolment import create_code, enrol
from kiosk.central.identity.seed import SeedCourt
from kiosk.clocks import format_wall, wall_time
from tests.support.central_rig import csr, new_id, new_key

ROOMS_PER_COURT = 10
STAFF_PER_COURT = 30
HEARINGS_PER_ROOM = 35  # seven a day
ARGON2 = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$" + "A" * 43


def enrol_fleet(
    database: Database, authority: CertificateAuthority, folder: Path, count: int
) -> list[Identity]:
    """Make ``count`` courtrooms and enrol their kiosks; the address of each is still empty."""
    folder.mkdir()
    fleet = []
    with database.write() as connection:
        for number in range(count):
            court, room = f"c{number // ROOMS_PER_COURT}", str(number % ROOMS_PER_COURT + 1)
            if room == "1":
                _make_court(connection, court)
            kiosk, key = f"fleet-{number:04d}", new_key()
            put_kiosk(connection, court, kiosk, room)
            code = create_code(connection, authority, kiosk)
            _, issued = enrol(connection, authority, code, csr(key, kiosk))
            files = folder / f"{kiosk}.crt", folder / f"{kiosk}.key"
            files[0].write_text(issued.pem, encoding="ascii")
            files[1].write_bytes(
                key.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                )
            )
            connection.execute(schema.schedule.insert(), _hearings(court, room))
            fleet.append(Identity("", *files, authority.root_path))
    return fleet


def _make_court(connection: Connection, court: str) -> None:
    put_court(
        connection,
        SeedCourt(id=court, timezone="Asia/Almaty", name={"kk": "Сот", "ru": "Суд", "en": "Court"}),
    )
    people = [
        {
            "court": court,
            "person": f"{court}-{number}",
            "name": "Айгүл Серікқызы Нұрланова",
            "roles": ["secretary"],
            "rooms": [str(number % ROOMS_PER_COURT + 1)],
            "pin": ARGON2,
            "badge": ARGON2,
        }
        for number in range(STAFF_PER_COURT)
    ]
    connection.execute(schema.staff.insert(), people)


def _hearings(court: str, room: str) -> list[dict[str, Any]]:
    now = wall_time()
    rows = []
    for number in range(HEARINGS_PER_ROOM):
        at = format_wall(now + timedelta(days=number // 7, minutes=45 * (number % 7)))
        hearing = {
            "id": new_id(),
            "case_number": f"{court}-26-00-2/{number}",
            "title": "Сәрсенов пен «Жайлау» ЖШС арасындағы қарызды өндіріп алу туралы іс",
            "kind": "civil",
            "scheduled_at": at,
            "duration_minutes": 45,
            "format": "in_person",
            "publicity": "open",
            "judge": "Е. Б. Қасымов",
            "participants": [{"name": "М. А. Сәрсенов", "role": "plaintiff"}] * 4,
            "adhoc": False,
        }
        rows.append(
            {
                "id": hearing["id"],
                "court": court,
                "room": room,
                "scheduled_at": at,
                "hearing": hearing,
            }
        )
    return rows
