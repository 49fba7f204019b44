"""Two screens on one machine: what packaging/two-screens adds to the units, off by default."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from kiosk.settings_files import load_settings

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "packaging" / "two-screens"
UNITS = {"ui": "kiosk-ui.service", "hall": "kiosk-hall.service"}


def lines_of(role: str, key: str) -> list[str]:
    """Return the values of a setting in the drop-in of ``role``, in order."""
    text = (FOLDER / f"kiosk-{role}.conf").read_text(encoding="utf-8")
    return re.findall(rf"^{key}=(.*)$", text, re.MULTILINE)


def environment(role: str) -> dict[str, str]:
    words = shlex.split(" ".join(lines_of(role, "Environment")))
    return dict(word.split("=", 1) for word in words)


@pytest.mark.parametrize("role", UNITS)
def test_each_screen_has_an_x_server_and_an_output_of_its_own(role: str) -> None:
    """One X server for both would let the hall's program read what is typed: a PIN, too."""
    unit = (ROOT / "systemd" / UNITS[role]).read_text(encoding="utf-8")
    (usual,) = re.findall(r"^ExecStart=/usr/bin/cage -d -- (.*)$", unit, re.MULTILINE)
    reset, started = lines_of(role, "ExecStart")
    assert reset == "", "the unit's own line would count, too"
    server, program = started.split(" -- ")
    assert program == usual, "the same program"
    assert server.startswith(
        "/usr/bin/xwayland-run -geometry ${SIZE} -fullscreen -output ${OUTPUT}"
    )
    assert "PrivateTmp=yes" in unit, "where the X server's socket is"
    other = next(name for name in UNITS if name != role)
    assert environment(role)["OUTPUT"] != environment(other)["OUTPUT"]
    assert environment(role)["WAYLAND_DISPLAY"] == environment(other)["WAYLAND_DISPLAY"]


def test_a_tap_is_on_the_touch_screen_and_no_key_does_anything() -> None:
    root = ElementTree.parse(FOLDER / "rc.xml").getroot()
    assert [one.get("mapToOutput") for one in root.iter("touch")] == [environment("ui")["OUTPUT"]]
    actions = {one.get("name") for one in root.iter("action")}
    assert actions == {"None"}
    assert len(list(root.iter("keybind"))) == 1, "with none, labwc takes its own"


def test_the_size_of_each_server_is_that_of_its_window(tmp_path: Path) -> None:
    hall = load_settings(FOLDER / "hall.toml").ui
    assert environment("hall")["SIZE"] == f"{hall.width}x{hall.height}"
    assert environment("hall")["KIOSK_CONFIG"] == "/etc/kiosk/hall.toml"
    empty = tmp_path / "kiosk.toml"
    empty.touch()
    touch = load_settings(empty).ui
    assert environment("ui")["SIZE"] == f"{touch.width}x{touch.height}", "as the settings come"


@pytest.mark.parametrize(("status", "starts"), [("connected", True), ("disconnected", False)])
def test_without_its_output_the_hall_does_not_start(
    tmp_path: Path, status: str, starts: bool
) -> None:
    """It would cover the touch screen."""
    for number, found in enumerate(("connected", status), 1):
        folder = tmp_path / f"card1-HDMI-A-{number}"
        folder.mkdir()
        (folder / "status").write_text(f"{found}\n")
    (condition,) = lines_of("hall", "ExecCondition")
    command = shlex.split(condition.replace("/sys/class/drm", str(tmp_path)))
    ran = subprocess.run(command, env={"OUTPUT": environment("hall")["OUTPUT"]}, check=False)
    assert (ran.returncode == 0) is starts


def test_it_is_off_by_default() -> None:
    """Only the steps of the installation page lay it out, and the usual hall gives way."""
    laid_out = (ROOT / "packaging" / "installed-files.txt").read_text(encoding="utf-8")
    assert "two-screens" not in laid_out
    hall = (ROOT / "systemd" / "kiosk-hall.service").read_text(encoding="utf-8")
    assert "ConditionPathExists=!/etc/systemd/system/kiosk.target.wants/kiosk-ui.service" in hall
    assert lines_of("hall", "ConditionPathExists") == [""]
    page = (ROOT / "docs" / "installation.md").read_text(encoding="utf-8")
    for path in FOLDER.iterdir():
        if path.name != "rc.xml":
            assert path.name in page, path


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is missing")
def test_the_units_with_their_additions_are_well_formed(tmp_path: Path) -> None:
    for role, unit in UNITS.items():
        text = (ROOT / "systemd" / unit).read_text(encoding="utf-8")
        (tmp_path / unit).write_text(re.sub(r"/usr/bin/cage|/opt/\S+/kiosk", "/bin/true", text))
        folder = tmp_path / f"{unit}.d"
        folder.mkdir()
        added = (FOLDER / f"kiosk-{role}.conf").read_text(encoding="utf-8")
        (folder / "two-screens.conf").write_text(
            added.replace("/usr/bin/xwayland-run", "/bin/true")
        )
    screens = (FOLDER / "kiosk-screens.service").read_text(encoding="utf-8")
    (tmp_path / "kiosk-screens.service").write_text(screens.replace("/usr/bin/labwc", "/bin/true"))
    names = [str(tmp_path / name) for name in (*UNITS.values(), "kiosk-screens.service")]
    ran = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *names],
        env={"PATH": "/usr/bin:/bin", "SYSTEMD_UNIT_PATH": f"{tmp_path}:/lib/systemd/system:"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert [line for line in ran.stderr.splitlines() if "kiosk" in line or "two-" in line] == []
