"""A real S3 server: OpenStack Swift with its S3 API, from Debian's package python3-swift.

Proxy, account, container and object server run as ordinary processes on loopback in a private
folder, with one replica, rings made by Swift's ring builder, and TempAuth. Parts of an upload need
5 MiB, as everywhere.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from tests.support.ports import free_port
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "court"
PYTHON = "/usr/bin/python3"  # Debian's, which has Debian's Swift
ACCESS_KEY, SECRET_KEY = "court:central", "secret"
KINDS = ("account", "container", "object")
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": ACCESS_KEY,
    "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    "AWS_EC2_METADATA_DISABLED": "true",
}
RUN = """
import ctypes, os, signal, sys
def die_with_parent():  # Swift makes each server the leader of a session of its own
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
die_with_parent()
from swift.common.ring import RingBuilder
from swift.common.utils import set_swift_dir
folder, *names = sys.argv[1:]
set_swift_dir(folder)
from swift.common.wsgi import run_wsgi
import swift.account.server, swift.container.server, swift.obj.server, swift.proxy.server
ports = dict(name.split("=") for name in names)
for kind in ("account", "container", "object"):
    builder = RingBuilder(4, 1, 1)
    place = {"ip": "127.0.0.1", "port": int(ports[kind])}
    copy = {f"replication_{key}": value for key, value in place.items()}
    builder.add_dev({"region": 1, "zone": 1, "device": "disk", "weight": 1, **place, **copy})
    builder.rebalance()
    builder.get_ring().save(f"{folder}/{kind}.ring.gz")
for kind in ports:
    if os.fork() == 0:
        die_with_parent()
        sys.exit(run_wsgi(f"{folder}/{kind}-server.conf", f"{kind}-server"))
for kind in ports:
    os.wait()
"""
COMMON = """
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
swift_dir = {folder}
devices = {folder}/devices
mount_check = false
log_level = ERROR
log_address = {folder}/nobody-listens
fallocate_reserve = 0
user = {user}
"""
STORAGE = """
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""
PROXY = """
[pipeline:main]
pipeline = catch_errors gatekeeper cache bulk s3api tempauth copy slo dlo symlink proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
[filter:tempauth]
use = egg:swift#tempauth
user_court_central = secret .admin
[filter:s3api]
use = egg:swift#s3api
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:1
[filter:bulk]
use = egg:swift#bulk
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
[filter:symlink]
use = egg:swift#symlink
"""


def missing_swift() -> str | None:
    """Return why Swift cannot run here, or None."""
    tried = subprocess.run(
        [PYTHON, "-c", "import swift.common.middleware.s3api"], check=False, capture_output=True
    )
    return None if tried.returncode == 0 else "the Debian package python3-swift is needed"


@contextlib.contextmanager
def swift() -> Iterator[str]:
    """Run Swift with one bucket; yield the address of its S3 API."""
    folder = Path(tempfile.mkdtemp(prefix="kiosk-swift-"))
    ports = {name: free_port() for name in ("proxy", *KINDS)}
    _configure(folder, ports)
    named = [f"{kind}={port}" for kind, port in ports.items()]
    servers = subprocess.Popen(
        [PYTHON, "-c", RUN, str(folder), *named],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: all(map(_listens, ports.values())), "Swift", 100)
        endpoint = f"http://127.0.0.1:{ports['proxy']}"
        s3_client(endpoint).create_bucket(Bucket=BUCKET)
        yield endpoint
    finally:
        servers.kill()  # and with it the four
        servers.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def s3_client(endpoint: str) -> S3Client:
    """Return a client of the account that owns the bucket."""
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        config=Config(s3={"addressing_style": "path"}),
    )


def _configure(folder: Path, ports: Mapping[str, int]) -> None:
    """Write settings and rings; ``devices/disk`` holds everything that Swift stores."""
    (folder / "devices" / "disk").mkdir(parents=True)
    (folder / "swift.conf").write_text(
        "[swift-hash]\nswift_hash_path_suffix = court\n"
        "[storage-policy:0]\nname = one\ndefault = yes\n",
        encoding="ascii",
    )
    user = pwd.getpwuid(os.geteuid()).pw_name
    for kind, port in ports.items():
        body = PROXY if kind == "proxy" else STORAGE.format(kind=kind)
        common = COMMON.format(port=port, folder=folder, user=user)
        (folder / f"{kind}-server.conf").write_text(common + body, encoding="ascii")


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
