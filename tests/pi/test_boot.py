"""The installed units under a real systemd: the tree is booted, and the recorder put to work.

systemd-nspawn boots it over an overlay in memory: the tree itself stays as it is.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HOME = Path("/opt/courtroom-kiosk")
TREE = Path("/rig/root")
LIMIT_S = 240
UNIT = """[Unit]
Description=Trial of the kiosk's units
[Service]
Type=oneshot
WorkingDirectory={home}
Environment={environment}
ExecStart={python} {home}/tests/pi/booted.py /out/outcome.json
ExecStopPost=/usr/bin/systemctl poweroff
StandardOutput=append:/out/log
StandardError=append:/out/log
"""


@pytest.fixture(scope="module")
def installed() -> None:
    """The kiosk as ``make install`` installs it, here and so in the tree that is booted."""
    options = ["--pi", "--without", "python3-picamera2", "--without", "python3-lgpio"]
    environment = {key: value for key, value in os.environ.items() if key != "LD_PRELOAD"}
    subprocess.run([HOME / "packaging/install.sh", *options], check=True, env=environment)
    # As on a machine: systemd-nspawn does not work without.
    subprocess.run(["systemd-machine-id-setup"], check=True, env=environment)


@pytest.mark.timeout(LIMIT_S + 60)
@pytest.mark.usefixtures("installed")
def test_the_units_work_in_their_sandbox_and_the_recorder_comes_back_when_killed(
    tmp_path: Path,
) -> None:
    wanted = ("LD_PRELOAD", "PYTHONPATH", "KIOSK_CAMERA_ALLOCATOR", "PYTHONDONTWRITEBYTECODE")
    names = [name for name in os.environ if name in wanted or name.startswith("CAMSHIM_")]
    environment = " ".join(f'"{name}={os.environ[name]}"' for name in names)
    unit = tmp_path / "trial.service"
    unit.write_text(UNIT.format(home=HOME, environment=environment, python=sys.executable))
    command = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot"]
    command += ["--private-network", "--volatile=overlay", f"--directory={TREE}"]
    command += [f"--bind={tmp_path}:/out", f"--bind-ro={unit}:/etc/systemd/system/trial.service"]
    booted = subprocess.run(
        [*command, "systemd.wants=trial.service"],
        env={"PATH": os.environ["PATH"], "SYSTEMD_LOG_LEVEL": "warning"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    found = tmp_path / "outcome.json"
    assert found.exists(), booted.stdout[-3000:] + booted.stderr[-3000:] + _log(tmp_path)
    outcome = json.loads(found.read_text(encoding="utf-8"))
    assert "error" not in outcome, outcome["error"] + outcome["journal"]
    assert outcome["user"] == "kiosk-recorder"
    assert outcome["restarts"] == 1
    assert outcome["delivery"] == "active"
    assert outcome["report"]["ok"], outcome["report"]["problems"]
    assert len(outcome["report"]["parts"]) == 2


def _log(folder: Path) -> str:
    log = folder / "log"
    return log.read_text(encoding="utf-8", errors="replace") if log.exists() else "(no log)"
