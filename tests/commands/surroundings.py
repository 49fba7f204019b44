"""A kiosk's folders as somebody may find them, all of it owned by the user who types commands."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyrage

from tests.support.stranger import NOBODY

HEARING = "0193f7a2-1111-7222-8333-944455556666"
GARBAGE = b"\x00\xff{garbage\n"
KIOSK_FILES = (
    f"hearings/{HEARING}/hearing.json",
    f"hearings/{HEARING}/journal.jsonl",
    f"hearings/{HEARING}/SHA256SUMS",
    f"hearings/{HEARING}/SHA256SUMS.p7s",
    f"hearings/{HEARING}/part-01/journal.jsonl",
    f"filings/{HEARING}/filing.json",
    f"reports/{HEARING}/report.json",
    "identity/device.crt",
    "identity/device.key",
    "identity/ca.crt",
    "identity/court.age",
    "identity/escrow.age",
    "identity/court-keys-proven.json",
    "identity/court-keys-challenge.json",
    "sync/kiosk.db",
    "sync/courier/pack.json",
    "published/staff.json",
    "published/schedule.json",
    "exports/copy.json",
    "recording-rate.json",
    "closed-hearings.json",
)


@dataclass(frozen=True)
class Place:
    """One surrounding: settings, the kiosk's folders, and a folder of the person's own."""

    settings: Path
    data: Path
    run: Path
    own: Path
    """Holds ``garbage``, a file that is nothing, and ``key``, a private age key."""

    def fill(self, text: str) -> str:
        """Put the folders into a word of a command line."""
        return text.format(
            own=self.own, data=self.data, id=HEARING, hearing=self.data / "hearings" / HEARING
        )


def _closed(place: Place) -> None:
    for folder in (place.data, place.run):
        folder.mkdir(mode=0o750)


def _empty(place: Place) -> None:
    for folder in (place.data, place.run):
        folder.mkdir()
        give(folder)


def _damaged(place: Place) -> None:
    for name in KIOSK_FILES:
        path = place.data / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(GARBAGE)
    place.run.mkdir()
    for name in ("recorder", "sync"):
        for socket in (place.run / f"{name}.sock", place.run / name / f"{name}.sock"):
            socket.parent.mkdir(exist_ok=True)
            socket.write_bytes(GARBAGE)
    for folder in (place.data, place.run):
        give(folder)


def _read_only(place: Place) -> None:
    _damaged(place)
    for folder in (place.data, place.run):
        give(folder, "root")


def _folders(place: Place) -> None:
    for name in (*KIOSK_FILES, "sync/lock"):
        (place.data / name).mkdir(parents=True)
    place.run.mkdir()
    for folder in (place.data, place.run):
        give(folder)


def _files(place: Place) -> None:
    for path in (place.data, place.run):
        path.write_bytes(GARBAGE)
        give(path)


def _settings_damaged(place: Place) -> None:
    _empty(place)
    place.settings.write_bytes(GARBAGE)


def _settings_folder(place: Place) -> None:
    _empty(place)
    place.settings.unlink()
    place.settings.mkdir()


def _settings_absent(place: Place) -> None:
    _empty(place)
    place.settings.unlink()


def _settings_secret(place: Place) -> None:
    _empty(place)
    place.settings.chmod(0o600)


SURROUNDINGS: dict[str, Callable[[Place], None]] = {
    "no right to the folders": _closed,
    "nothing recorded, no service": _empty,
    "every file damaged": _damaged,
    "folders that may only be read": _read_only,
    "a folder in place of every file": _folders,
    "files in place of the folders": _files,
    "no folders": lambda _place: None,
    "no settings": _settings_absent,
    "damaged settings": _settings_damaged,
    "a folder in place of the settings": _settings_folder,
    "no right to the settings": _settings_secret,
}


def give(path: Path, user: str = NOBODY) -> None:
    """Give ``path`` and all in it to ``user``."""
    entry = pwd.getpwnam(user)
    for item in (path, *path.rglob("*")):
        os.chown(item, entry.pw_uid, entry.pw_gid)


def make_place(folder: Path, surrounding: str) -> Place:
    """Make one surrounding under ``folder``, which everybody can read."""
    place = Place(folder / "kiosk.toml", folder / "data", folder / "run", folder / "own")
    folder.mkdir()
    place.own.mkdir()
    (place.own / "garbage").write_bytes(GARBAGE)
    (place.own / "key").write_text(f"{pyrage.x25519.Identity.generate()}\n")
    give(folder)
    place.settings.write_text(
        f'[kiosk]\nid = "k"\n[paths]\ndata = "{place.data}"\nrun = "{place.run}"\n'
        '[camera]\nback_end = "none"\n'
    )
    SURROUNDINGS[surrounding](place)
    return place
