"""A real HAProxy before several central systems; TLS and certificates pass through it."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.support.central_rig import Central
from tests.support.ports import free_port
from tests.support.waiting import wait_for

HAPROXY = Path("/usr/sbin/haproxy")
BALANCER = """
global
  stats socket {folder}/stats mode 600 level user
defaults
  mode tcp
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  option redispatch
  retries 3
frontend kiosks
  bind 127.0.0.1:{port}
  default_backend servers
backend servers
  balance roundrobin
"""


@contextlib.contextmanager
def balancer(folder: Path, servers: Sequence[Central]) -> Iterator[str]:
    """Run HAProxy before ``servers``; TLS and certificates pass through it."""
    port = free_port()
    lines = [
        f"  server s{number} 127.0.0.1:{server.port} check inter 200ms fall 1 on-error mark-down\n"
        for number, server in enumerate(servers)
    ]
    settings = folder / "haproxy.cfg"
    settings.write_text(BALANCER.format(folder=folder, port=port) + "".join(lines))
    process = subprocess.Popen([str(HAPROXY), "-db", "-q", "-f", str(settings)])
    try:
        wait_for(lambda: (folder / "stats").exists(), "HAProxy")
        yield f"https://localhost:{port}"
    finally:
        process.terminate()
        process.wait(30)
