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
_UNIT = f"""[Unit]
Description=Trial of the booted tree
After=multi-user.target
[Service]
Type=oneshot
WorkingDirectory={HOME}
Environment=PYTHONPATH={HOME} PYTHONDONTWRITEBYTECODE=1
ExecStart={sys.executable} -m {{module}} /out/outcome.json
ExecStopPost=/usr/bin/systemctl --no-block poweroff
StandardOutput=append:/out/log
StandardError=append:/out/log
"""


def run_booted(
    module: str,
    out: Path,
    *,
    limit_s: float,
    options: Sequence[str] = (),
    arguments: Sequence[str] = (),
    environment: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Boot, run ``module`` with the file of its outcome as argument, power off.

    Args:
        out: folder that the booted tree sees as ``/out``.
        options: of systemd-nspawn; arguments: of process 1, as on a kernel's command line.
        environment: of systemd-nspawn.

    Returns:
        The outcome, JSON.
    """
    unit = out / "trial.service"
    unit.write_text(_UNIT.format(module=module), encoding="utf-8")
    command = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot"]
    command += ["--private-network", f"--directory={TREE}", f"--bind={out}:/out"]
    command += [f"--bind-ro={unit}:/etc/systemd/system/trial.service", *options]
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
    found, log = out / "outcome.json", out / "log"
    said = log.read_text(encoding="utf-8", errors="replace") if log.exists() else "(no log)"
    assert found.exists(), booted.stdout[-3000:] + booted.stderr[-3000:] + said[-4000:]
    outcome: dict[str, Any] = json.loads(found.read_text(encoding="utf-8"))
    assert "error" not in outcome, json.dumps(outcome, indent=1) + said[-4000:]
    return outcome
