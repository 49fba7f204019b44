"""A machine with the kiosk installed: the tree under an overlay, booted by systemd-nspawn.

The overlay and the kiosk's data are on a disk, outside the tree: they survive a power cut, and the
tree stays as it is.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

HOME = Path("/opt/courtroom-kiosk")
TREE = Path("/rig/root")
DISK = Path("/rig/disk")
INSTALL = ("packaging/install.sh", "--pi")
NOT_IN_DEBIAN = ("--without", "python3-picamera2", "--without", "python3-lgpio")
UNITS = ("kiosk.target", "kiosk-recorder.service", "kiosk-sync.service", "kiosk-ui.service")
MICROPHONES = Path("/run/courtroom/microphones")
CAMERA_SHIM = ("LD_PRELOAD", "PYTHONPATH", "KIOSK_CAMERA_ALLOCATOR")
SCREEN = {
    "WLR_BACKENDS": "headless",
    "WLR_RENDERER": "pixman",
    "WLR_LIBINPUT_NO_DEVICES": "1",
    "WLR_HEADLESS_OUTPUTS": "1",
}
OFF_SECONDS = 20
CAP_SYS_RESOURCE = 24
TRIAL = f"""[Unit]
Description=Virtual courtroom, and a trial of the kiosk in it
Before=kiosk-recorder.service kiosk-sync.service kiosk-ui.service
[Service]
Type=notify
TimeoutStartSec=120
WorkingDirectory={HOME}
Environment=LANG=C.UTF-8 PYTHONPATH={HOME} PYTHONDONTWRITEBYTECODE=1
ExecStart={{command}}
ExecStopPost=/usr/bin/systemctl --no-block poweroff
StandardOutput=append:/out/trial.log
StandardError=append:/out/trial.log
[Install]
WantedBy=multi-user.target
"""


REAL_TIME_WITHOUT_LIMITS = "CapabilityBoundingSet=CAP_SYS_NICE\nAmbientCapabilities=CAP_SYS_NICE\n"
"""Stands in for the unit's LimitRTPRIO= on a machine whose root may raise no limit."""


def may_raise_limits() -> bool:
    """Return whether root may raise resource limits here (CAP_SYS_RESOURCE)."""
    status = dict(
        line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines()
    )
    return bool(int(status["CapBnd"], 16) >> CAP_SYS_RESOURCE & 1)


class Machine:
    """An installed machine (a context manager); it may be booted several times.

    Args:
        name: of its folder on the disk; what was there is removed.
    """

    def __init__(self, name: str) -> None:
        self.folder = DISK / name
        self.root = self.folder / "root"
        self.data = self.folder / "data"
        self.out = self.folder / "out"
        self._nspawn: subprocess.Popen[bytes] | None = None
        self._boots = 0

    def __enter__(self) -> Self:
        shutil.rmtree(self.folder, ignore_errors=True)
        for name in ("root", "upper", "work", "data", "out"):
            (self.folder / name).mkdir(parents=True)
        layers = f"lowerdir={TREE},upperdir={self.folder}/upper,workdir={self.folder}/work"
        _run("mount", "-t", "overlay", "overlay", "-o", layers, self.root)
        self._install()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.cut_power()
        _run("umount", "--lazy", self.root)

    def _install(self) -> None:
        """Install the kiosk as its documentation says, and put virtual devices into it."""
        self.inside(*INSTALL, *NOT_IN_DEBIAN)
        self.inside("systemctl", "enable", *UNITS)
        self.inside("systemctl", "mask", "postgresql.service")  # of the tests
        sound = {
            "ALSA_CONFIG_PATH": str(MICROPHONES / "alsa.conf"),
            "PULSE_STATE_PATH": str(MICROPHONES / "state"),
            "PULSE_RUNTIME_PATH": str(MICROPHONES / "run"),
        }
        shim = {name: value for name, value in os.environ.items() if name.startswith("CAMSHIM_")}
        shim |= {name: os.environ[name] for name in CAMERA_SHIM}
        self.drop_in("kiosk-recorder", {**shim, **sound, "GPIOZERO_PIN_FACTORY": "mock"})
        if not may_raise_limits():
            self.drop_in("kiosk-recorder", {}, REAL_TIME_WITHOUT_LIMITS)
        self.drop_in("kiosk-ui", SCREEN)

    def inside(self, *command: str) -> str:
        """Run a command in the machine's tree without booting it; return its output."""
        nspawn = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--pipe"]
        nspawn += ["--as-pid2", f"--directory={self.root}", f"--chdir={HOME}"]
        nspawn += ["--bind-ro=/etc/resolv.conf", f"--bind={self.data}:/var/lib/kiosk"]
        return _run(*nspawn, "--", *command)

    def drop_in(self, unit: str, environment: Mapping[str, str], lines: str = "") -> None:
        """Add environment variables, and further lines, to a unit."""
        folder = self.root / f"etc/systemd/system/{unit}.service.d"
        folder.mkdir(parents=True, exist_ok=True)
        given = "".join(f'Environment="{key}={value}"\n' for key, value in environment.items())
        number = len(list(folder.iterdir()))
        (folder / f"virtual-{number}.conf").write_text(f"[Service]\n{given}{lines}")

    def boot(self, steps: Sequence[str], then: str = "poweroff") -> None:
        """Boot it and let it go through the trial's ``steps``; then it is powered off, or stays on.

        Args:
            then: ``poweroff`` or ``on``.
        """
        self._boots += 1
        command = (
            f"{sys.executable} -m tests.pi.trial {self._outcome_name} {then} {' '.join(steps)}"
        )
        unit = self.root / "etc/systemd/system/trial.service"
        unit.write_text(TRIAL.format(command=command))
        wants = self.root / "etc/systemd/system/multi-user.target.wants"
        wants.mkdir(parents=True, exist_ok=True)
        link = wants / unit.name
        link.unlink(missing_ok=True)
        link.symlink_to(f"/etc/systemd/system/{unit.name}")
        nspawn = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot"]
        nspawn += ["--private-network", f"--directory={self.root}", f"--bind={self.out}:/out"]
        nspawn += [f"--bind={self.data}:/var/lib/kiosk"]
        nspawn += ["--system-call-filter=@memlock"]  # as on a machine: it takes no capability
        with (self.out / "console.log").open("ab") as console:
            self._nspawn = subprocess.Popen(
                nspawn,
                env={"PATH": os.environ["PATH"], "SYSTEMD_LOG_LEVEL": "warning"},
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
            )

    def wait(self, seconds: float) -> dict[str, Any]:
        """Wait until the steps are done; return what the trial wrote down.

        Raises:
            TimeoutError: they took too long, or the machine went down.
        """
        assert self._nspawn is not None
        end = time.monotonic() + seconds
        path = self.out / self._outcome_name
        while not path.exists():
            if time.monotonic() > end or self._nspawn.poll() is not None:
                raise TimeoutError(f"the trial wrote nothing in {seconds:.0f} s\n{self.log()}")
            time.sleep(0.1)
        return dict(json.loads(path.read_text(encoding="utf-8")))

    def wait_off(self, seconds: float) -> None:
        """Wait until it has powered itself off."""
        assert self._nspawn is not None
        self._nspawn.wait(seconds)

    def cut_power(self) -> None:
        """End everything in it at once; nothing gets a chance to close a file."""
        if self._nspawn is None:
            return
        children = Path(f"/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children")
        with contextlib.suppress(OSError):
            for pid in children.read_text().split():
                os.kill(int(pid), signal.SIGKILL)  # its process 1, and so all of its processes
        try:
            self._nspawn.wait(OFF_SECONDS)
        except subprocess.TimeoutExpired:
            self._nspawn.kill()
            self._nspawn.wait()
        self._nspawn = None

    @property
    def _outcome_name(self) -> str:
        return f"outcome-{self._boots}.json"

    def log(self) -> str:
        """Return the end of the console's and the trial's output."""
        texts = []
        for name in ("console.log", "trial.log"):
            path = self.out / name
            if path.exists():
                texts.append(path.read_text(encoding="utf-8", errors="replace")[-3000:])
        return "\n".join(texts)


def _run(*command: str | Path) -> str:
    """Run a command with a clean environment; return its output.

    Raises:
        RuntimeError: it failed; the message is its output.
    """
    environment = {key: value for key, value in os.environ.items() if key != "LD_PRELOAD"}
    answer = subprocess.run(
        [str(word) for word in command],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: {answer.stdout}{answer.stderr}")
    return answer.stdout
