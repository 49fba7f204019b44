"""Commands that root runs work as the user that owns what they write."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyrage
import pytest

from kiosk.cli import command_names
from kiosk.commands._user import RECORDER, SCREEN, SYNC, WORKS_AS
from tests.support.mounts import why_no_mount
from tests.support.stranger import open_namespace

pytestmark = [pytest.mark.root, pytest.mark.slow]
IDS = {RECORDER: 61001, SYNC: 61002, SCREEN: 61003}
GROUPS = {"kiosk": 61010, "kiosk-record": 61011, "kiosk-filing": 61012}
MEMBERS: dict[str, list[str]] = {
    "kiosk": [],
    "kiosk-record": [RECORDER, SYNC],
    "kiosk-filing": [SYNC, SCREEN],
}
BIND = 'mount --bind "$0/passwd" /etc/passwd && mount --bind "$0/group" /etc/group && exec "$@"'
CODE = "ABCD-EFGH-IJKL-MNOP-QRST-UVWX-YZ23"


@pytest.fixture
def root() -> Iterator[Path]:
    """A folder with user lists in which the kiosk's users exist; skip where that cannot be."""
    if reason := why_no_mount():
        pytest.skip(f"no users of our own here: {reason}")
    with tempfile.TemporaryDirectory(prefix="users-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        own = GROUPS["kiosk"]
        users = [f"{user}:x:{number}:{own}::/var/lib/kiosk:/" for user, number in IDS.items()]
        groups = [f"{group}:x:{GROUPS[group]}:{','.join(MEMBERS[group])}" for group in GROUPS]
        (folder / "passwd").write_text("\n".join([Path("/etc/passwd").read_text(), *users, ""]))
        (folder / "group").write_text("\n".join([Path("/etc/group").read_text(), *groups, ""]))
        yield folder


def make_data(root: Path, owner: int, group: int) -> Path:
    """Make the kiosk's folders as the package does, owned by ``owner``."""
    data = root / "data"
    data.mkdir()
    for name in ("sync", "receipts", "published", "identity"):
        (data / name).mkdir()
        os.chown(data / name, owner and IDS[SYNC], group)
        (data / name).chmod(0o2770)
    os.chown(data / "identity", owner, group and GROUPS["kiosk-record"])
    os.chown(data, owner, group)
    data.chmod(0o2750)
    paths = f'[paths]\ndata = "{data}"\nrun = "{root}"\n'
    (root / "kiosk.toml").write_text(f'[kiosk]\nid = "k"\n{paths}')
    return data


def run_as_root(root: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    """Run ``kiosk ARGV`` as root where the kiosk's users exist."""
    command = [sys.executable, "-m", "kiosk.cli", "--config", str(root / "kiosk.toml"), *argv]
    prefix = [*open_namespace(root / "namespace"), "sh", "-c", BIND, str(root)]
    # These users cannot write the figures of a coverage run, and would say so beside the command.
    environment = {name: text for name, text in os.environ.items() if "COVERAGE_" not in name}
    return subprocess.run(
        [*prefix, *command], capture_output=True, text=True, check=False, env=environment
    )


def owners(folder: Path) -> set[int]:
    """Return the users who own a file in ``folder``."""
    return {path.stat().st_uid for path in folder.rglob("*") if path.is_file()}


def test_reindex_writes_as_sync(root: Path) -> None:
    data = make_data(root, IDS[RECORDER], GROUPS["kiosk"])
    result = run_as_root(root, "reindex")
    assert result.returncode == 0, result.stderr
    assert owners(data / "sync") == {IDS[SYNC]}


def test_court_keys_are_pinned_by_the_recorder(root: Path) -> None:
    data = make_data(root, IDS[RECORDER], GROUPS["kiosk"])
    keys = [str(pyrage.x25519.Identity.generate().to_public()) for _ in range(2)]
    result = run_as_root(root, "court-keys", "pin", *keys)
    assert result.returncode == 0, result.stderr
    assert owners(data / "identity") == {IDS[RECORDER]}


def test_the_key_of_an_enrolment_belongs_to_sync(root: Path) -> None:
    data = make_data(root, IDS[RECORDER], GROUPS["kiosk"])
    result = run_as_root(root, "enroll", "--code", CODE, "--url", "https://127.0.0.1:1")
    assert result.returncode == 1, result.stderr  # nobody answers there
    assert owners(data / "identity") <= {IDS[SYNC]}


def test_a_command_has_the_groups_of_its_user_and_no_other(root: Path) -> None:
    make_data(root, IDS[RECORDER], GROUPS["kiosk"])
    spy = (
        "import os, sys, kiosk.commands.state as state; from kiosk.cli import main\n"
        "state.run = lambda _: print(sorted(os.getgroups()), os.getresuid(), os.getresgid()) or 0\n"
        "sys.exit(main())"
    )
    prefix = [*open_namespace(root / "namespace"), "sh", "-c", BIND, str(root)]
    result = subprocess.run(
        [*prefix, sys.executable, "-c", spy, "--config", str(root / "kiosk.toml"), "state"],
        capture_output=True,
        text=True,
        check=True,
    )
    user, group = IDS[RECORDER], GROUPS["kiosk"]
    groups = [group, GROUPS["kiosk-record"]]
    assert result.stdout == f"{groups} {(user,) * 3} {(group,) * 3}\n"


def test_what_root_owns_stays_roots_own(root: Path) -> None:
    data = make_data(root, 0, 0)  # as a demo makes it
    result = run_as_root(root, "reindex")
    assert result.returncode == 0, result.stderr
    assert owners(data / "sync") == {0}


def test_a_place_that_its_user_may_not_use_is_named(root: Path) -> None:
    data = make_data(root, IDS[RECORDER], GROUPS["kiosk"])
    for name in ("court", "escrow"):
        key = pyrage.x25519.Identity.generate().to_public()
        (data / "identity" / f"{name}.age").write_text(f"{key}\n")
    secret = root / "secret"
    secret.mkdir(mode=0o700)
    result = run_as_root(root, "court-keys", "challenge", "--out", str(secret))
    assert result.returncode == 77
    assert result.stderr.startswith(f"kiosk: {secret}/")
    assert result.stderr.endswith(f"; {RECORDER} has no right to it\n")


def test_the_table_names_commands_that_exist() -> None:
    assert set(WORKS_AS) <= set(command_names())
