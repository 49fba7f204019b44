"""An older installation's data become those of today's users: ``packaging/owners.sh``."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.mounts import why_no_mount

pytestmark = [pytest.mark.root, pytest.mark.slow]
ROOT = Path(__file__).parents[2]
OLD = 61000
IDS = {"kiosk-recorder": 61001, "kiosk-sync": 61002, "kiosk-ui": 61003}
GROUPS = {"kiosk": 61000, "kiosk-record": 61011, "kiosk-filing": 61012}
NAMES = {number: name for name, number in {"kiosk": OLD, **IDS}.items()}
GROUP_NAMES = {number: name for name, number in GROUPS.items()}
FILES = (
    "recording-rate.json",
    "hearings/1/part-01/main.mp4",
    "set-aside/1/part-01/main.mp4",
    "exports/1.json",
    "reports/1/report.json",
    "identity/device.key",
    "identity/keepers/1.key",
    "filings/1/filing.json",
    "sync/kiosk.db",
    "published/schedule.json",
    "published/staff.json",
    "published/link-checks/last.json",
    "receipts/1.json",
)
MODES = {"identity": 0o600}
TODAY = {
    "recording-rate.json": "kiosk-recorder kiosk",
    "hearings/1": "kiosk-recorder kiosk-record 2770",
    "hearings/1/part-01/main.mp4": "kiosk-recorder kiosk-record 640",
    "exports/1.json": "kiosk-recorder kiosk-record 640",
    "reports/1": "kiosk-recorder kiosk-record 2755",
    "reports/1/report.json": "kiosk-recorder kiosk-record 644",
    "identity/device.key": "kiosk-recorder kiosk-record 640",
    "identity/keepers": "kiosk-recorder kiosk-record 700",
    "identity/keepers/1.key": "kiosk-recorder kiosk-record 600",
    "filings/1": "kiosk-ui kiosk-filing 2750",
    "filings/1/filing.json": "kiosk-ui kiosk-filing 640",
    "sync/kiosk.db": "kiosk-sync kiosk-record 640",
    "published": "kiosk-sync kiosk-record 2755",
    "published/schedule.json": "kiosk-sync kiosk-record 644",
    "published/staff.json": "kiosk-sync kiosk-record 640",
    "published/link-checks/last.json": "kiosk-sync kiosk-record 640",
    "receipts/1.json": "kiosk-sync kiosk-record 640",
}
INSIDE = """
set -e
mount --bind "$0/etc" /etc
mount -t tmpfs none /run
mkdir -p /run/systemd/system
exec "$@"
"""


@dataclass(frozen=True)
class Older:
    """A machine with the data of an older version: user lists of its own, commands that fail."""

    folder: Path

    @property
    def data(self) -> Path:
        """The kiosk's data folder."""
        return self.folder / "data"

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run owners.sh (default: with the data and the mirror of this machine)."""
        command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", INSIDE]
        given = arguments or (str(self.data), str(self.folder / "mirror"))
        script = [str(ROOT / "packaging" / "owners.sh"), *given]
        path = f"{self.folder}/bin:{os.environ['PATH']}:/usr/sbin"
        return subprocess.run(
            [*command, str(self.folder), *script],
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )

    def command(self, name: str, text: str) -> Path:
        """Put a command before the system's own."""
        path = self.folder / "bin" / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return path

    def owners(self) -> dict[str, str]:
        """Return user, group and mode of what is in the data folder."""
        found = {}
        for path in self.data.rglob("*"):
            status = path.stat()
            user = NAMES.get(status.st_uid) or pwd.getpwuid(status.st_uid).pw_name
            group = GROUP_NAMES.get(status.st_gid, str(status.st_gid))
            found[str(path.relative_to(self.data))] = f"{user} {group} {status.st_mode & 0o7777:o}"
        return found

    def has_old_user(self) -> bool:
        """Return whether the user of the older version is there."""
        return "\nkiosk:" in (self.folder / "etc/passwd").read_text()


@pytest.fixture
def older(tmp_path: Path) -> Older:
    """A machine on which one user, kiosk, has written everything; no service runs."""
    if reason := why_no_mount():
        pytest.skip(f"no users of our own here: {reason}")
    machine = Older(tmp_path)
    (tmp_path / "bin").mkdir()
    machine.command("systemctl", "exit 3")
    shutil.copytree("/etc", tmp_path / "etc", symlinks=True)
    users = {"kiosk": OLD, **IDS}
    with (tmp_path / "etc/passwd").open("a") as file:
        for name, number in users.items():
            file.write(f"{name}:x:{number}:{OLD}::/var/lib/kiosk:/usr/sbin/nologin\n")
    with (tmp_path / "etc/group").open("a") as file:
        for name, number in GROUPS.items():
            file.write(f"{name}:x:{number}:\n")
    for name in FILES:
        path = machine.data / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
        path.chmod(MODES.get(path.parts[len(machine.data.parts)], 0o640))
    for path in (machine.data, *machine.data.rglob("*")):
        os.chown(path, OLD, OLD)
        if path.is_dir():
            path.chmod(0o750)
    return machine


def test_everything_belongs_to_the_users_of_today(older: Older) -> None:
    done = older.run()
    assert done.returncode == 0, done.stderr
    owners = older.owners()
    assert {name: owners[name] for name in TODAY if not owners[name].startswith(TODAY[name])} == {}
    assert [name for name, owner in owners.items() if owner.startswith("kiosk ")] == []
    assert not older.has_old_user()


@pytest.mark.parametrize("calls", [1, 4, 9, 14])
def test_interrupted_it_goes_on_at_the_next_run(older: Older, calls: int) -> None:
    count = older.folder / "count"
    real = shutil.which("chown")
    failing = older.command(
        "chown", f'echo >>{count}; [ "$(wc -l <{count})" -lt {calls} ] || exit 1; exec {real} "$@"'
    )
    assert older.run().returncode != 0
    assert older.has_old_user()
    failing.unlink()
    done = older.run()
    assert done.returncode == 0, done.stderr
    owners = older.owners()
    assert {name: owners[name] for name in TODAY if not owners[name].startswith(TODAY[name])} == {}
    assert not older.has_old_user()
    assert older.run().returncode == 0  # again: nothing to do
    assert older.owners() == owners


def test_the_check_before_an_installation_changes_nothing(older: Older) -> None:
    before = older.owners()
    assert older.run("--check").returncode == 0
    assert older.owners() == before
    assert older.has_old_user()


@pytest.mark.parametrize("arguments", [(), ("--check",)])
def test_while_the_kiosk_runs_nothing_is_changed(older: Older, arguments: tuple[str, ...]) -> None:
    older.command("systemctl", "exit 0")
    before = older.owners()
    done = older.run(*arguments)
    assert done.returncode == 1
    assert "systemctl stop kiosk.target" in done.stderr
    assert older.owners() == before
    assert older.has_old_user()


def test_an_installation_asks_before_it_lays_anything_out() -> None:
    text = (ROOT / "packaging" / "install.sh").read_text(encoding="utf-8")
    assert text.index('owners.sh" --check') < text.index('setup.sh" ') < text.index("while read")
