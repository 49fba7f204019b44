"""What somebody would try who has taken over one of the services (see ``test_sandbox.py``).

It runs in that service's own unit: same user, groups, filters and mounts. Standard library only.
It prints JSON: what it was refused, what it could do, and what it may.

    python3 intruder.py SERVICE FACTS.json
"""

from __future__ import annotations

import base64
import ctypes
import hmac
import http.client
import json
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

DATA, RUN = Path("/var/lib/kiosk"), Path("/run/kiosk")
RECORDER, SYNC = RUN / "recorder" / "recorder.sock", RUN / "sync" / "sync.sock"
LINE = DATA / "published" / "line.json"
CLONE_NEWUSER = 0x10000000
TCP_INFO_BYTES = 160
SERVICES = ("recorder", "sync", "ui")


def call(place: Path, method: str, path: str, token: str = "", body: object = None) -> int:
    """Return the status of a call of a local service."""
    connection = http.client.HTTPConnection("kiosk", timeout=10)
    with socket.socket(socket.AF_UNIX) as connection.sock:
        connection.sock.connect(str(place))
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        connection.request(method, path, json.dumps(body or {}), headers)
        return connection.getresponse().status


def require_done(status: int) -> None:
    """Raise PermissionError for the status of a refused call."""
    if status in (401, 403):
        raise PermissionError(status)


def forged_token() -> str:
    """Return a token of a judge, signed with a secret of the intruder's own."""
    claims = {"p": "j", "n": "J", "r": ["judge", "secretary", "technician"], "t": time.monotonic()}
    body = json.dumps(claims | {"x": "00" * 8}).encode()
    mac = hmac.digest(b"0" * 32, body, "sha256")
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (body, mac))


def read(path: Path) -> None:
    """Read a file, or list a folder."""
    if path.is_dir():
        list(path.iterdir())
    else:
        path.read_bytes()


def write(path: Path) -> None:
    """Change a file that exists; make one in a folder."""
    if path.is_dir():
        (path / "intruder").write_text("x")
        (path / "intruder").unlink()
    else:
        with path.open("r+b") as file:
            file.write(b"forged")


def become(user: int) -> None:
    """Become another user."""
    os.setresuid(user, user, user)


def make_namespace() -> None:
    """Make a user namespace, in which one is root."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare")


def writable(roots: list[Path]) -> Iterator[str]:
    """Yield what below ``roots`` this process may write, except sockets."""
    for root in roots:
        for folder, folders, files in os.walk(root):
            for path in (Path(folder), *(Path(folder) / name for name in files)):
                if not path.is_socket() and not path.is_symlink() and os.access(path, os.W_OK):
                    yield str(path)
            folders[:] = [name for name in folders if os.access(Path(folder) / name, os.R_OK)]


def attempts(service: str, facts: dict[str, Any]) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield what must be refused to ``service``."""
    for other in SERVICES:
        if other == service or other not in facts["pids"]:
            continue
        process = Path(f"/proc/{facts['pids'][other]}")
        yield f"kill {other}", partial(os.kill, facts["pids"][other], signal.SIGKILL)
        yield f"stop {other}", partial(os.kill, facts["pids"][other], signal.SIGSTOP)
        for name in ("root/etc/passwd", "root/var/lib/kiosk/identity", "mem", "environ", "fd"):
            yield f"{other}: /proc/PID/{name}", partial(read, process / name)
        yield f"become {other}", partial(become, facts["users"][other])
    for path in facts["unreadable"][service]:
        yield f"read {path}", partial(read, Path(path))
    for path in facts["unwritable"][service]:
        yield f"write {path}", partial(write, Path(path))
    yield "become root", lambda: become(0)
    yield "open a namespace", make_namespace
    if service != "recorder":
        socket_folder = RECORDER.parent
        yield "stand in for the recorder", lambda: RECORDER.rename(socket_folder / "old.sock")
        step = "/v1/hearing/recess"
        yield "step without a token", lambda: require_done(call(RECORDER, "POST", step))
        token = forged_token()
        yield "step, forged token", lambda: require_done(call(RECORDER, "POST", step, token))
        report = {"kind": "delivery_probe"}
        yield (
            "sign, forged token",
            lambda: require_done(call(RECORDER, "POST", "/v1/reports", token, report)),
        )
    if service == "recorder":
        yield "deliver", lambda: require_done(call(SYNC, "POST", "/v1/deliver"))


def permitted(service: str) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield what ``service`` may do: else the refusals would prove nothing."""
    if service != "recorder":
        yield "state of the recorder", lambda: call(RECORDER, "GET", "/v1/state") == 200 or 1 / 0
    if service != "sync":
        yield "state of sync", lambda: call(SYNC, "GET", "/v1/state") == 200 or 1 / 0
    if service == "ui":
        yield "write a filing", lambda: write(DATA / "filings")
        yield "write run/ui", lambda: write(RUN / "ui")
        yield "read the list of hearings", lambda: read(DATA / "published" / "schedule.json")
        yield "list reports", lambda: read(DATA / "reports")
        yield "list public keys", lambda: read(DATA / "public")
    elif service == "sync":
        yield "read the device's key", lambda: read(DATA / "identity" / "device.key")
        yield "delete a hearing", lambda: write(DATA / "hearings")
        yield "read a filing", lambda: read(DATA / "filings")
        yield "read how a connection fares", read_tcp_info
        yield "send a datagram and take its echo", echo_datagram
        yield "publish the line", publish_line
    else:
        yield "read the device's key", lambda: read(DATA / "identity" / "device.key")
        yield "write a recording", lambda: write(DATA / "hearings")
        yield "read the list of staff", lambda: read(DATA / "published" / "staff.json")
        yield "read the line that sync has published", lambda: read(LINE)


def read_tcp_info() -> None:
    """Read how a connection fares, as the watch of the line does."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname(), 5) as connection,
    ):
        info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO_BYTES)
    if len(info) < TCP_INFO_BYTES:
        raise ValueError(f"{len(info)} bytes")


def echo_datagram() -> None:
    """Send a datagram and take its echo, as the link check does."""
    with (
        socket.socket(type=socket.SOCK_DGRAM) as centre,
        socket.socket(type=socket.SOCK_DGRAM) as kiosk,
    ):
        centre.bind(("127.0.0.1", 0))
        kiosk.connect(centre.getsockname())
        kiosk.settimeout(5)
        kiosk.send(b"call")
        data, address = centre.recvfrom(100)
        centre.sendto(data, address)
        kiosk.recv(100)


def publish_line() -> None:
    """Publish a state of the line, as sync does; the recorder's turn comes later."""
    beside = LINE.with_suffix(".new")
    beside.write_text("{}")
    beside.chmod(0o644)
    beside.replace(LINE)


def set_scheduler(policy: int, priority: int) -> None:
    """Ask for a scheduling policy of this process."""
    os.sched_setscheduler(0, policy, os.sched_param(priority))


def outcome(act: Callable[[], object]) -> str:
    """Return how an attempt ended: ``done``, ``refused``, or another error's name."""
    try:
        act()
    except (PermissionError, ProcessLookupError):
        return "refused"
    except FileNotFoundError:
        return "hidden"
    except OSError as error:
        return os.strerror(error.errno or 0)
    except Exception as error:
        return repr(error)
    return "done"


def main() -> None:
    """Try everything; print what came of it."""
    service, facts = sys.argv[1], json.loads(Path(sys.argv[2]).read_text())
    told = {
        "tried": {name: outcome(act) for name, act in attempts(service, facts)},
        "may": {name: outcome(act) for name, act in permitted(service)},
        "writable": sorted(writable([DATA, RUN, Path("/etc"), Path("/opt"), Path("/usr")])),
        "real_time": outcome(lambda: set_scheduler(os.SCHED_RR, 5)),
        "real_time_limit": resource.getrlimit(resource.RLIMIT_RTPRIO)[0],
        "scheduler": outcome(lambda: set_scheduler(os.SCHED_BATCH, 0)),
        "nice": outcome(lambda: os.nice(5)),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
