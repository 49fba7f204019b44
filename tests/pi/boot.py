"""Boots the tree of ``make test-pi`` by systemd-nspawn, and runs one module in it.

The tree stays as it is: what the boot writes goes into an overlay in memory.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HOME = Path("/opt/courtroom-kiosk")
TREE = Path("/rig/root")
_RESTART = 133  # of systemd-nspawn with --keep-unit, for the unit's manager
_UNIT = """[Unit]
Description=Trial of the booted tree
After=multi-user.target
[Service]
Type=oneshot
WorkingDirectory={project}
Environment=PYTHONPATH={project} PYTHONDONTWRITEBYTECODE=1
ExecStart={python} -m {module} /out/outcome.json
# Not when the machine is restarting: the trial goes on then.
ExecStopPost=/bin/sh -c 'test ! -e /out/outcome.json || systemctl --no-block poweroff'
StandardOutput=append:/out/log
StandardError=append:/out/log
"""


def install_kiosk() -> None:
    """Install this project in the tree, as on a Pi."""
    # The shim is for the camera alone: an installation has no business with it.
    environment = {key: value for key, value in os.environ.items() if key != "LD_PRELOAD"}
    options = ["--pi", "--without", "python3-picamera2", "--without", "python3-lgpio"]
    subprocess.run([HOME / "packaging/install.sh", *options], check=True, env=environment)
    subprocess.run(["systemd-machine-id-setup"], check=True, env=environment)


def run_booted(  # noqa: PLR0913 -- what a test boots differs in each of these
    module: str,
    out: Path,
    *,
    limit_s: float,
    options: Sequence[str] = (),
    arguments: Sequence[str] = (),
    environment: dict[str, str] | None = None,
    root: Path = TREE,
    python: str = sys.executable,
    project: str = str(HOME),
) -> dict[str, Any]:
    """Boot, run ``module`` with the file of its outcome as argument, power off.

    Args:
        out: folder that the booted tree sees as ``/out``.
        options: of systemd-nspawn; arguments: of process 1, as on a kernel's command line.
        environment: of systemd-nspawn.
        root: file system that is booted; python and project: with which and where module runs.

    Returns:
        The outcome, JSON.
    """
    unit = out / "trial.service"
    unit.write_text(_UNIT.format(module=module, python=python, project=project), encoding="utf-8")
    command = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot"]
    command += ["--private-network", f"--directory={root}", f"--bind={out}:/out"]
    command += [f"--bind-ro={unit}:/etc/systemd/system/trial.service", *options]
    said, again = "", True
    while again:  # the machine restarts when the trial orders it
        booted = subprocess.run(
            [*command, *arguments, "systemd.wants=trial.service"],
            env={"PATH": os.environ["PATH"], "SYSTEMD_LOG_LEVEL": "warning", **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=limit_s,
            check=False,
        )
        said += booted.stdout[-3000:] + booted.stderr[-3000:]
        again = booted.returncode == _RESTART
    found, log = out / "outcome.json", out / "log"
    said += log.read_text(encoding="utf-8", errors="replace")[-6000:] if log.exists() else ""
    assert found.exists(), said
    outcome: dict[str, Any] = json.loads(found.read_text(encoding="utf-8"))
    assert "error" not in outcome, json.dumps(outcome, indent=1) + said[-6000:]
    return outcome
