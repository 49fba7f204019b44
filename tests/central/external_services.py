"""A real Postgres cluster, started for one test file."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.support.waiting import wait_for


def postgres_tool(name: str) -> Path:
    """Return a program of Debian's newest Postgres."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    assert found, "the Debian package postgresql is needed (make setup)"
    return found[-1]


@contextlib.contextmanager
def postgres(**more: str) -> Iterator[str]:
    """Run a Postgres cluster on a Unix socket, with ``more`` settings; yield its SQLAlchemy URL."""
    folder = Path(tempfile.mkdtemp(prefix="kiosk-pg-"))
    user = pwd.getpwnam("postgres") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    os.chown(folder, user.pw_uid, user.pw_gid)
    data = folder / "data"
    subprocess.run(
        [str(postgres_tool("initdb")), "-D", str(data), "-A", "trust", "-U", "kiosk", "--no-sync"],
        check=True,
        capture_output=True,
        cwd=folder,
        user=user.pw_uid,
        group=user.pw_gid,
    )
    settings = {"listen_addresses": "", "unix_socket_directories": str(folder), **more}
    options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
    server = subprocess.Popen(
        [str(postgres_tool("postgres")), "-D", str(data), *options],
        cwd=folder,
        stderr=subprocess.DEVNULL,
        user=user.pw_uid,
        group=user.pw_gid,
    )
    try:
        wait_for(lambda: _answers(folder), "Postgres")
        yield f"postgresql+psycopg://kiosk@/postgres?host={folder}"
    finally:
        server.send_signal(signal.SIGINT)  # fast: SIGTERM would wait for clients that are gone
        server.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def _answers(folder: Path) -> bool:
    ready = subprocess.run(
        [str(postgres_tool("pg_isready")), "-h", str(folder), "-q"], check=False, timeout=10
    )
    return ready.returncode == 0
