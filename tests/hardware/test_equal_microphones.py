"""Two microphones of one model as processes meet them: the kernel's own folders are exchanged."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.mounts import why_no_mount
from tests.support.sound_cards import Stick, build_machine

pytestmark = [pytest.mark.root, pytest.mark.slow]
PROGRAM = """
import json, sys, time
from pathlib import Path
from kiosk.settings_files import load_settings
from kiosk.hardware.sources.sources import Sources

with Sources(load_settings(Path(sys.argv[1])), Path(sys.argv[2])) as sources:
    end = time.monotonic() + 40
    while time.monotonic() < end:
        rows = [row.to_json() for row in sources.describe_microphones()]
        if [row["state"] for row in rows] == sys.argv[3].split():
            break
        time.sleep(0.05)
print(json.dumps({row["name"]: row for row in rows}))
"""


@pytest.fixture(autouse=True)
def _needs_mounts() -> None:
    if reason := why_no_mount():
        pytest.skip(f"no folders of our own here: {reason}")


def describe(folder: Path, states: str, **devices: str) -> dict[str, Any]:
    """Return the microphones of a recorder's sources, in these states, on the machine below."""
    tables = [
        f'[[microphones]]\nname = "{name}"\nrole = "{name}"\ndevice = "{device}"\n'
        for name, device in devices.items()
    ]
    settings = folder / "kiosk.toml"
    settings.write_text('[camera]\nback_end = "none"\n' + "".join(tables), encoding="utf-8")
    mount = 'mount --bind "$0" /sys && exec "$@"'
    command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", mount]
    command += [str(folder / "sys"), sys.executable, "-c", PROGRAM]
    ended = subprocess.run(
        [*command, str(settings), str(folder / "preview"), states],
        env={**os.environ, "ALSA_CONFIG_PATH": "/usr/share/alsa/alsa.conf"},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return dict(json.loads(ended.stdout))


def test_a_setting_that_fits_two_sticks_records_neither_and_names_both(tmp_path: Path) -> None:
    build_machine(tmp_path, [Stick("1.3", serial="20100505"), Stick("1.4", serial="20100505")])
    found = describe(
        tmp_path,
        "refused refused absent",
        judge="serial:20100505",
        witness="id:Device_1",
        expert="id:Device_2",
    )
    refusal = found["judge"]["refusal"]
    assert (found["judge"]["state"], refusal["reason"]) == ("refused", "ambiguous")
    assert "hw:1,0" in refusal["detail"]
    assert "hw:2,0" in refusal["detail"]
    assert found["witness"]["refusal"]["reason"] == "busy"  # it is there, PortAudio cannot open it
    assert found["expert"]["state"] == "absent"
