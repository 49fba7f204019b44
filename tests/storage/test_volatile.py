"""Data that is gone at power-off: real file systems in a mount namespace, and read mount lists."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kiosk.storage.volatile import is_volatile
from tests.support.mounts import why_no_mount

_SCRIPT = """
set -e
mount -t tmpfs none "$1"
cd "$1"
mkdir memory ram lower upper work merged on-disk "with blank"
mount -t ramfs none ram
mkdir "with blank/upper" "with blank/work" "with blank/merged"
mount -t overlay none -o lowerdir=lower,upperdir="$2/upper",workdir="$2/work" on-disk
mount -t overlay none -o lowerdir=lower,upperdir=upper,workdir=work merged
cd "with blank"
layers="lowerdir=../lower,upperdir=$1/with blank/upper,workdir=$1/with blank/work"
mount -t overlay none -o "$layers" merged
cd ..
mkdir merged/data
exec "$3" -c "$4" "$1"
"""
_LOOK = """
import sys
from pathlib import Path
from kiosk.storage.volatile import is_volatile
for name in ("memory", "ram", "merged", "merged/data", "with blank/merged", "on-disk"):
    print(name, is_volatile(Path(sys.argv[1], name)))
"""


@pytest.mark.root
def test_memory_and_overlays_in_memory_are_found_and_a_disk_is_not(tmp_path: Path) -> None:
    if reason := why_no_mount():
        pytest.skip(reason)
    if is_volatile(tmp_path):
        pytest.skip("the temporary folder itself is in memory")
    memory, disk = tmp_path / "m", tmp_path / "d"
    for folder in (memory, disk / "upper", disk / "work"):
        folder.mkdir(parents=True)
    command = ["unshare", "--mount", "bash", "-c", _SCRIPT, "-", str(memory), str(disk)]
    result = subprocess.run(
        [*command, sys.executable, _LOOK], capture_output=True, text=True, check=False
    )
    if "overlay" in result.stderr:
        pytest.skip(f"no overlay here: {result.stderr.strip()}")
    assert result.returncode == 0, result.stderr
    assert dict(line.rsplit(" ", 1) for line in result.stdout.splitlines()) == {
        "memory": "True",
        "ram": "True",
        "merged": "True",
        "merged/data": "True",
        "with blank/merged": "True",
        "on-disk": "False",
    }


DISK = "1 0 8:1 / / rw - ext4 /dev/mmcblk0p2 rw\n"


@pytest.mark.parametrize(
    ("mounts", "volatile"),
    [
        (DISK, False),
        ("", False),
        ("1 0 0:1 / / rw shared:1 master:2 - rootfs none rw\n", True),
        (DISK + "2 1 0:2 / {folder} rw - tmpfs none rw\n", True),
        (DISK + "2 1 0:2 / {folder}x rw - tmpfs none rw\n", False),
        (
            DISK + "2 1 0:2 / /tmp rw - tmpfs a rw\n3 2 8:2 / {folder} rw - ext4 /dev/sda1 rw\n",
            False,
        ),
        (
            DISK
            + "2 1 8:3 / {folder} rw - ext4 /dev/sda1 rw\n3 2 0:3 / {folder} rw - ramfs b rw\n",
            True,
        ),
        (DISK + "2 1 252:0 / {folder} rw - ext4 /dev/zram0 rw\n", True),
        (
            DISK
            + "2 1 0:9 / {folder} rw - overlay o rw,lowerdir=/l,upperdir=/gone/up,workdir=/w\n",
            True,
        ),
        (DISK + "2 1 0:9 / {folder} rw - overlay o ro,lowerdir=/l:/m\n", False),
        (DISK + "2 1 0:9 / {folder} rw - overlay o rw,upperdir=/usr,workdir=/w,volatile\n", True),
        (DISK + "2 1 0:9 / {folder} rw - overlay o rw,upperdir={folder},workdir=/w\n", True),
        (DISK + "2 1 0:9 / {folder} rw - overlay o rw,upperdir=/usr,workdir=/w\n", False),
        (DISK + "nonsense\n\n", False),
    ],
)
def test_lists_of_mounts(tmp_path: Path, mounts: str, volatile: bool) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    listed = tmp_path / "mountinfo"
    listed.write_text(mounts.format(folder=folder))
    assert is_volatile(folder, listed) is volatile
