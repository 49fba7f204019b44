"""The systemd units: well formed, tightly sandboxed, and naming commands that exist."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from kiosk.cli import command_names
from kiosk.services.peers import READER_USERS, SCREEN_USER

ROOT = Path(__file__).resolve().parents[2]
SYSTEMD = ROOT / "systemd"
SERVICES = sorted(SYSTEMD.glob("*.service"))
OWN_SERVICES = [unit for unit in SERVICES if unit.stem != "kiosk-hall-view"]
"""Those that run our program; the other one runs systemd's own proxy."""
HOST_SERVICES = sorted((ROOT / "packaging" / "host").glob("*.service"))
"""Root's, which run for a moment: time servers, USB sticks."""
INSTALLED_AT = "/opt/courtroom-kiosk"
KIOSK_PROGRAM = f"{INSTALLED_AT}/.venv/bin/kiosk"

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)


def settings_of(unit: Path) -> dict[str, list[str]]:
    """Return every setting of a unit with all its values, in order."""
    found: dict[str, list[str]] = {}
    for line in unit.read_text(encoding="utf-8").splitlines():
        if match := re.match(r"([A-Za-z]+)=(.*)", line):
            found.setdefault(match[1], []).append(match[2])
    return found


def test_every_service_of_the_kiosk_has_a_unit() -> None:
    names = {unit.name for unit in SERVICES}
    assert names == {
        "kiosk-recorder.service",
        "kiosk-sync.service",
        "kiosk-ui.service",
        "kiosk-central.service",
        "kiosk-hall.service",
        "kiosk-hall-view.service",
    }


@pytest.mark.parametrize("unit", OWN_SERVICES, ids=lambda unit: unit.stem)
def test_the_command_started_exists(unit: Path) -> None:
    (started,) = settings_of(unit)["ExecStart"]
    assert KIOSK_PROGRAM in started
    command = started.split(KIOSK_PROGRAM, 1)[1].split()[0]
    assert command.replace("-", "_") in command_names()


@pytest.mark.parametrize(("ended", "is_darkened"), [("exited", True), ("killed", False)])
def test_nothing_delays_the_restart_of_a_recorder_that_was_killed(
    ended: str, is_darkened: bool
) -> None:
    """Its successor sets the lamp; one that ends by itself, as with wrong settings, leaves it."""
    (command,) = settings_of(SYSTEMD / "kiosk-recorder.service")["ExecStopPost"]
    script = command.removeprefix("-/bin/sh -c ").strip("'").replace("$$", "$")
    script = script.replace("exec /opt/courtroom-kiosk/.venv/bin/kiosk", "echo")
    said = subprocess.run(
        ["/bin/sh", "-c", script],
        env={"EXIT_CODE": ended},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said == ("recorder --lamp-off\n" if is_darkened else "")


def test_the_central_system_may_take_the_connections_of_2000_kiosks() -> None:
    """Five connections each. Old fault: the unit had no limit of its own."""
    (unit,) = (unit for unit in SERVICES if unit.stem == "kiosk-central")
    (limit,) = settings_of(unit)["LimitNOFILE"]
    assert int(limit) >= 5 * 2000


@pytest.mark.parametrize("name", ["kiosk-central", "kiosk-sync"])
def test_no_unit_keeps_the_link_checks_datagrams_away(name: str) -> None:
    """The echo listens on the UDP port of the server's number; no setting of a unit names it."""
    settings = settings_of(SYSTEMD / f"{name}.service")
    families = set(" ".join(settings["RestrictAddressFamilies"]).split())
    assert {"AF_INET", "AF_INET6"} <= families
    limits = (
        "IPAddress",
        "SocketBind",
        "RestrictNetwork",
        "PrivateNetwork",
        "IPIngress",
        "IPEgress",
    )
    assert not [key for key in settings if key.startswith(limits)]


@pytest.mark.parametrize("unit", OWN_SERVICES, ids=lambda unit: unit.stem)
def test_a_service_comes_back_for_ever_and_is_no_root(unit: Path) -> None:
    settings = settings_of(unit)
    assert settings["Restart"] == ["always"]
    assert settings["User"] == [unit.stem]  # each has a user of its own
    if unit.stem != "kiosk-central":
        assert settings["StartLimitIntervalSec"] == ["0"]


def test_the_recorder_needs_no_other_unit_and_no_network() -> None:
    settings = settings_of(SYSTEMD / "kiosk-recorder.service")
    assert not {"Requires", "Requisite", "BindsTo", "Wants"} & settings.keys()
    assert settings["RestrictAddressFamilies"] == ["AF_UNIX AF_NETLINK"]


def test_the_touch_screen_cannot_change_a_recording_or_read_the_key() -> None:
    settings = settings_of(SYSTEMD / "kiosk-ui.service")
    assert settings["ReadWritePaths"] == ["/var/lib/kiosk/filings"]
    hidden = " ".join(settings["InaccessiblePaths"]).split()
    assert {"-/var/lib/kiosk/hearings", "-/var/lib/kiosk/identity"} <= set(hidden)
    assert "kiosk-record" not in " ".join(settings["SupplementaryGroups"]).split()


def test_the_display_in_the_hall_has_nothing_of_the_kiosk() -> None:
    """R54: no list, no State, no recording; and it never takes a touch screen's place."""
    hall, proxy = (settings_of(SYSTEMD / f"kiosk-hall{name}.service") for name in ("", "-view"))
    for settings in (hall, proxy):
        assert settings["TemporaryFileSystem"] == ["/var/lib/kiosk:ro /media:ro"]
        assert "ReadWritePaths" not in settings
        groups = " ".join(settings.get("SupplementaryGroups", [])).split()
        assert not {"kiosk-record", "kiosk-filing"} & set(groups)
    assert hall["BindReadOnlyPaths"] == ["-/var/lib/kiosk/room"]
    assert hall["ConditionPathExists"][0].startswith("!/etc/systemd/system/kiosk.target.wants/")
    assert proxy["ExecStart"][0].endswith(" /run/kiosk/recorder/hall.sock")
    assert proxy["RestrictAddressFamilies"] == ["AF_UNIX"]
    names = {hall["User"][0], proxy["User"][0]}
    assert not names & {SCREEN_USER, *READER_USERS}, "the recorder's own socket refuses them"


@needs_systemd
@pytest.mark.parametrize("unit", [*SERVICES, *HOST_SERVICES], ids=lambda unit: unit.stem)
def test_exposure_is_low(unit: Path) -> None:
    answer = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout[-2000:] + answer.stderr


@needs_systemd
def test_units_are_well_formed(tmp_path: Path) -> None:
    """``verify`` looks for the programs: here, stand-ins at the places they are installed at."""
    program = tmp_path / "kiosk"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for unit in [*SERVICES, SYSTEMD / "kiosk.target", *SYSTEMD.glob("*.socket")]:
        text = unit.read_text(encoding="utf-8")
        text = text.replace(KIOSK_PROGRAM, str(program)).replace("/usr/bin/cage", str(program))
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    answer = subprocess.run(
        ["systemd-analyze", "verify", *map(str, sorted(tmp_path.glob("kiosk[-.]*")))],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "SYSTEMD_UNIT_PATH": f"{tmp_path}:/lib/systemd/system:"},
    )
    complaints = [line for line in answer.stderr.splitlines() if "kiosk" in line]
    assert answer.returncode == 0, answer.stderr
    assert complaints == []


def test_every_user_and_group_named_is_made() -> None:
    """``systemd-analyze verify`` does not notice a user that does not exist."""
    made: set[str] = set()
    for file in SYSTEMD.glob("*.sysusers.conf"):
        for line in file.read_text(encoding="utf-8").splitlines():
            kind, *names = line.split()[:3] if line and line[0] in "gum" else [""]
            made.update(names if kind == "m" else names[:1])
    for unit in SERVICES:
        settings = settings_of(unit)
        groups = " ".join(settings.get("SupplementaryGroups", []))
        wanted = {*settings["User"], *settings["Group"], *groups.split()}
        assert wanted <= made, unit.name


def test_every_folder_of_the_layout_is_made_at_boot() -> None:
    from kiosk.config import PathSettings
    from kiosk.storage.paths import Paths

    paths = Paths.from_settings(PathSettings())
    text = (SYSTEMD / "kiosk.tmpfiles.conf").read_text(encoding="utf-8")
    made = {line.split()[1] for line in text.splitlines() if line.startswith("d ")}
    folders = {
        paths.data,
        paths.run,
        paths.exports,
        paths.hearings,
        paths.filings,
        paths.minutes,
        paths.reports,
        paths.room,
        paths.receipts,
        paths.database.parent,
        paths.schedule.parent,
        paths.device_key.parent,
    }
    assert {str(folder) for folder in folders} <= made


def test_each_service_makes_its_folder_of_the_run_time() -> None:
    from kiosk.config import PathSettings
    from kiosk.storage.paths import Paths

    paths = Paths.from_settings(PathSettings())
    wanted = {
        "kiosk-recorder": {paths.recorder_socket, paths.preview, paths.token_secret},
        "kiosk-sync": {paths.sync_socket},
        "kiosk-ui": {paths.ui_socket, paths.filing_work},
    }
    for name, files in wanted.items():
        settings = settings_of(SYSTEMD / f"{name}.service")
        (folder,) = settings["RuntimeDirectory"]
        assert {file.parent for file in files} == {Path("/run") / folder}
        assert settings["RuntimeDirectoryPreserve"] == ["restart"]
