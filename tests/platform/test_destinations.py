"""Recordings and measurements leave the kiosk for the court's central system alone (S20).

What could open a connection is listed here with its reason; a new place is a decision, not a line.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from kiosk.config import Settings

ROOT = Path(__file__).resolve().parents[2]
NETWORK = {
    *("aiohttp", "ftplib", "http.client", "httpx", "imaplib", "paramiko", "poplib", "requests"),
    *("smtplib", "socket", "ssl", "telnetlib", "urllib.request", "urllib3", "websockets", "xmlrpc"),
}
CENTRAL, HERE = "the court's central system", "a process of this kiosk"
CONNECTING = {
    "kiosk/demo/screen_driver.py": HERE,
    "kiosk/hardware/audibility/listener_child.py": HERE,
    "kiosk/hardware/printer_line.py": "the receipt printer of the settings",
    "kiosk/hardware/scanner/escl_status.py": "the scanner of the settings",
    "kiosk/hardware/sources/speech_detector.py": HERE,
    "kiosk/hardware/virtual/microphones.py": HERE,
    "kiosk/ipc.py": HERE,
    "kiosk/services/peers.py": HERE,
    "kiosk/sync/delivery/fetch.py": CENTRAL,
    "kiosk/sync/delivery/timestamps.py": "the court's time stamps: gets a hash",
    "kiosk/sync/enrolment.py": CENTRAL,
    "kiosk/sync/link_check/call_probe.py": CENTRAL,
    "kiosk/sync/link_check/link_check.py": CENTRAL,
    "kiosk/sync/link_check/load.py": CENTRAL,
    "kiosk/sync/transport/central_client.py": CENTRAL,
    "kiosk/sync/transport/central_session.py": CENTRAL,
    "kiosk/sync/transport/tcp_health.py": CENTRAL,  # reads how open ones fare, opens none
    "kiosk/sync/transport/tus_client.py": CENTRAL,
    "kiosk/systemd.py": HERE,
}
SENDERS = re.compile(r"(?:^|[\s/])(curl|wget|rsync|scp|sftp|ssh|ncat|rclone|sendmail)(?:\s|$)")
HOST = re.compile(r"https?://([A-Za-z0-9.-]+)")
HOSTS = {
    "kiosk/commands/enroll.py": {"court.example"},  # an example of the help
    "kiosk/config.py": {"central.invalid"},  # the default, which is nowhere
    "kiosk/hardware/virtual/escl.py": {"www.pwg.org", "schemas.hp.com"},  # names of XML
    "kiosk/hardware/virtual/scanner.py": {"127.0.0.1"},
    "kiosk/ipc.py": {"kiosk"},  # a Unix socket
    "kiosk/ui/hall/board.py": {"court.example"},  # a sample of a picture
}
DESTINATIONS = {
    "central.url": CENTRAL,
    "hall.address": "from where the display in the hall reads",
    "hall.observer_url": "only shown",
    "kiosk.time_servers": "asked for the time",
    "recording.timestamp_url": "the court's time stamps",
}


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Yield name and tree of each module that a kiosk runs; the central system is no kiosk."""
    for path in sorted((ROOT / "kiosk").rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith("kiosk/central/"):
            yield name, ast.parse(path.read_text(encoding="utf-8"))


def imported(tree: ast.Module) -> Iterator[str]:
    """Yield what a module imports; of aiohttp the server alone opens no connection."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names = {alias.name for alias in node.names}
            if node.module != "aiohttp" or names != {"web"}:
                yield node.module
                yield from (f"{node.module}.{name}" for name in names)


def can_connect(tree: ast.Module) -> bool:
    """Return whether a module imports what can open a connection."""
    return any(
        name == known or name.startswith(f"{known}.")
        for name in imported(tree)
        for known in NETWORK
        if name != "urllib3.exceptions" or known != "urllib3"
    )


def texts(tree: ast.Module) -> Iterator[str]:
    """Yield the texts of a module, but for its docstrings."""
    docstrings = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from [node.value] if id(node) not in docstrings else []


def settings_of(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Yield the name of each setting, with its tables."""
    for name, field in model.model_fields.items():
        annotation = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from settings_of(annotation, f"{prefix}{name}.")
        else:
            yield prefix + name


def test_only_what_is_listed_can_open_a_connection() -> None:
    assert {name for name, tree in modules() if can_connect(tree)} == set(CONNECTING)


def test_nothing_is_sent_by_another_program() -> None:
    found = [(name, text) for name, tree in modules() for text in texts(tree)]
    assert [row for row in found if SENDERS.search(row[1]) and len(row[1]) < 40] == []


def test_no_destination_is_written_into_the_program() -> None:
    found = {
        name: hosts
        for name, tree in modules()
        if (hosts := {host for text in texts(tree) for host in HOST.findall(text)})
    }
    assert found == HOSTS


def test_the_settings_name_no_other_destination() -> None:
    names = {name for name in settings_of(Settings) if re.search("url|host|server|address", name)}
    assert names == set(DESTINATIONS)


@pytest.mark.parametrize(
    "line",
    ["import requests", "from aiohttp import ClientSession, web", "from urllib import request"],
)
def test_a_new_way_out_is_seen(line: str) -> None:
    assert can_connect(ast.parse(line))
    assert not can_connect(ast.parse("from aiohttp import web\nfrom urllib.parse import quote"))
