"""The shell blocks of ``docs/installation.md`` run in a booted tree without the project, in order.

What the page changes goes onto a layer of its own over the tree, which outlives the restart.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.pi.boot import HOME, TREE, run_booted

PAGE = HOME / "docs" / "installation.md"
BLOCK = re.compile(
    r"(<!-- not run by the test: [^\n]+ -->\s*)?^ *```\n(.*?)^ *```", re.MULTILINE | re.DOTALL
)
INSTALL = "--pi --run-only --without python3-picamera2 --without python3-lgpio"
FILES = {
    "etc/udev/rules.d/50-test.rules": 'KERNEL=="loop[0-9]*", ENV{ID_BUS}="usb"\n',
    "etc/systemd/system/kiosk-stick@.service.d/test.conf": "[Service]\nDeviceAllow=block-loop r\n",
    # `sudo make install` as on a Pi: this machine is none, and two packages are not in Debian.
    "etc/sudoers.d/clerk": 'clerk ALL=(ALL) NOPASSWD: ALL\nDefaults env_keep += "ARGS"\n',
}


def blocks() -> list[tuple[str, str]]:
    """Return the blocks of the page and why each is not run (empty: it is run)."""
    text = PAGE.read_text(encoding="utf-8")
    return [(match[2], (match[1] or "").strip()) for match in BLOCK.finditer(text)]


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """The tree without the project, under a layer that takes what is written."""
    layer, work, merged = (tmp_path / name for name in ("layer", "work", "merged"))
    for folder in (layer / "opt", work, merged):
        folder.mkdir(parents=True)
    os.mknod(layer / "opt/courtroom-kiosk", 0o020600, 0)  # a whiteout: it is not there
    options = f"lowerdir={TREE},upperdir={layer},workdir={work}"
    subprocess.run(["mount", "-t", "overlay", "-o", options, "page", merged], check=True)
    for path in merged.glob("etc/systemd/system/*kiosk*"):
        path.unlink()
    (merged / "etc/sysusers.d/kiosk.conf").unlink(missing_ok=True)
    for name, text in FILES.items():
        (merged / name).parent.mkdir(parents=True, exist_ok=True)
        (merged / name).write_text(text, encoding="utf-8")
    (merged / "etc/sudoers.d/clerk").chmod(0o440)
    subprocess.run(["useradd", "--root", merged, "--create-home", "clerk"], check=True)
    yield merged
    subprocess.run(["umount", "--lazy", merged], check=True)


def test_few_blocks_are_left_out_and_each_says_why() -> None:
    found = blocks()
    assert len(found) >= 9
    assert sum(bool(why) for _, why in found) <= 4, (
        "demo, two machines, two screens, another machine"
    )


@pytest.mark.timeout(420)
def test_the_page_leads_to_a_working_kiosk(root: Path, tmp_path: Path) -> None:
    source = root / "srv/kiosk.git"
    git = ["git", "-c", "user.name=court", "-c", "user.email=court@localhost", "-C"]
    copy = tmp_path / "source"
    shutil.copytree(HOME, copy, ignore=shutil.ignore_patterns(".venv", "__pycache__"))
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "kiosk"]):
        subprocess.run([*git, copy, *command], check=True)
    subprocess.run(["git", "clone", "-q", "--bare", copy, source], check=True)
    out, cache = tmp_path / "out", tmp_path / "cache"
    out.mkdir()
    cache.mkdir()
    variables = {"KIOSK_SOURCE": "/srv/kiosk.git", "ARGS": INSTALL, "MIRROR": "/dev/loop6"}
    outcome = run_page(root, out, cache, variables)
    assert outcome["boots"] == 2
    assert set(outcome["units"].values()) == {"active"}
    assert "device.crt" in " ".join(outcome["certificate"])
    assert outcome["mirror"]
    assert outcome["left"] == ["/etc/kiosk/kiosk.toml", "/var/lib/kiosk/hearings"]


def run_page(root: Path, out: Path, cache: Path, variables: dict[str, str]) -> dict[str, Any]:
    """Run the page's blocks in ``root``; return what is true at the end."""
    todo = [block for block, why in blocks() if not why]
    plan = {"blocks": todo, "variables": variables}
    (out / "blocks.json").write_text(json.dumps(plan), encoding="utf-8")
    return run_booted(
        "tests.pi.page_walk",
        out,
        limit_s=400,
        root=root,
        python="/usr/bin/python3",
        project="/court",
        options=[
            *("--bind=/dev/loop-control", "--bind=/dev/loop6", f"--bind={cache}:/cache"),
            f"--bind-ro={TREE}/opt/courtroom-kiosk:/court",
        ],
        arguments=["systemd.mask=systemd-udev-trigger.service"],
        environment={"SYSTEMD_NSPAWN_API_VFS_WRITABLE": "yes"},
    )
