"""Audits the lock files: ``python -m requirements.audit``; ``… refresh`` renews the advisories.

``advisories.json`` is a snapshot of the advisories of the locked packages, in the form of OSV
(https://ossf.github.io/osv-schema/), so that the audit needs no network and gives the same answer
everywhere. pip-audit does the audit; it asks a server on loopback that knows the snapshot.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests
import yaml
from packaging.utils import canonicalize_name
from packaging.version import Version

HERE = Path(__file__).parent
SNAPSHOT = HERE / "advisories.json"
OSV_URL = "https://api.osv.dev/v1/query"
ECOSYSTEM = "PyPI"
Pin = tuple[str, str]
Record = dict[str, Any]


def read_pins(locks: Iterable[Path]) -> set[Pin]:
    """Return name and version of each package of the lock files, for whatever system it is."""
    return {
        (canonicalize_name(name), version)
        for lock in locks
        for name, version in re.findall(
            r"^([A-Za-z0-9][\w.-]*)==(\S+)", lock.read_text(encoding="utf-8"), flags=re.MULTILINE
        )
    }


def is_affected(record: Record, pin: Pin) -> bool:
    """Return whether an advisory holds for a package's version (OSV schema, "Evaluation")."""
    name, version = pin
    return any(
        version in affected.get("versions", ())
        or any(
            _is_within(span["events"], Version(version))
            for span in affected.get("ranges", ())
            if span["type"] == "ECOSYSTEM"
        )
        for affected in record["affected"]
        if affected["package"]["ecosystem"] == ECOSYSTEM
        and canonicalize_name(affected["package"]["name"]) == name
    )


def _is_within(events: Iterable[dict[str, str]], version: Version) -> bool:
    inside = False
    steps = [(Version(limit), kind) for event in events for kind, limit in event.items()]
    for limit, kind in sorted(steps):
        if kind == "introduced" and version >= limit:
            inside = True
        elif (kind == "fixed" and version >= limit) or (
            kind == "last_affected" and version > limit
        ):
            inside = False
    return inside


@contextlib.contextmanager
def serve(packages: dict[str, list[Record]], asked: set[Pin]) -> Iterator[str]:
    """Answer OSV queries from the snapshot on loopback; yield the address.

    Args:
        packages: the advisories of each package.
        asked: takes up each pin that was asked for.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            query = json.loads(self.rfile.read(length))
            pin = (canonicalize_name(query["package"]["name"]), query["version"])
            asked.add(pin)
            found = [record for record in packages.get(pin[0], ()) if is_affected(record, pin)]
            body = json.dumps({"vulns": found} if found else {}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1/query"
        finally:
            server.shutdown()
            thread.join()


def audit(pins: set[Pin], snapshot: dict[str, Any]) -> int:
    """Audit ``pins``; print the result and return the exit status: 0 only if nothing was found."""
    packages: dict[str, list[Record]] = snapshot["packages"]
    names = {name for name, _ in pins}
    known = names & packages.keys()
    asked: set[Pin] = set()
    with tempfile.TemporaryDirectory() as folder, serve(packages, asked) as url:
        status = max(
            _run_pip_audit(group, url, Path(folder), snapshot["accepted"])
            for group in _without_repetition(pins)
        )
    print(f"audit: {len(pins)} pins; advisories of {snapshot['made']} from {snapshot['source']}")
    for advisory, reason in snapshot["accepted"].items():
        print(f"audit: accepted: {advisory}: {reason}")
    if asked != pins and status == 0:
        print(f"audit: pip-audit left out {sorted(pins - asked)}")
        status = 1
    if known != names:
        print(f"audit: THE SNAPSHOT KNOWS {len(known)} OF {len(names)} PACKAGES: {sorted(known)}")
        print("audit: `make audit-refresh` on a machine that reaches OSV adds the others")
        status = status or int(snapshot["complete"])
    return status


def _run_pip_audit(pins: list[Pin], url: str, folder: Path, accepted: Iterable[str]) -> int:
    file = folder / "pins.txt"
    file.write_text("".join(f"{name}=={version}\n" for name, version in pins), encoding="utf-8")
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(file)]
    command += ["--disable-pip", "--no-deps", "--strict", "--progress-spinner", "off"]
    command += ["--vulnerability-service", "osv", "--osv-url", url, "--cache-dir", str(folder)]
    for advisory in accepted:
        command += ["--ignore-vuln", advisory]
    environment = {**os.environ, "NO_PROXY": "127.0.0.1", "PIP_AUDIT_LOGLEVEL": "ERROR"}
    return subprocess.run(command, check=False, env=environment).returncode


def _without_repetition(pins: set[Pin]) -> list[list[Pin]]:
    """Return the pins in groups that name each package once: pip-audit refuses others."""
    groups: list[list[Pin]] = []
    for pin in sorted(pins):
        for group in groups:
            if group[-1][0] != pin[0]:
                group.append(pin)
                break
        else:
            groups.append([pin])
    return groups


def query_osv(name: str) -> list[Record]:
    """Return all advisories of a package from OSV.

    Raises:
        requests.RequestException: it is out of reach, or refuses.
    """
    found: list[Record] = []
    query: dict[str, Any] = {"package": {"name": name, "ecosystem": ECOSYSTEM}}
    while True:
        response = requests.post(OSV_URL, json=query, timeout=30)
        response.raise_for_status()
        answer = response.json()
        found += answer.get("vulns", [])
        if not answer.get("next_page_token"):
            return found
        query["page_token"] = answer["next_page_token"]


def read_checkout(folder: Path, name: str) -> list[Record]:
    """Return all advisories of a package from a checkout of ``pypa/advisory-database``.

    Raises:
        FileNotFoundError: ``folder`` is no such checkout.
    """
    if not (folder / "vulns").is_dir():
        raise FileNotFoundError(f"no folder vulns in {folder}")
    files = sorted((folder / "vulns" / name).glob("*.yaml"))
    return [yaml.safe_load(file.read_text(encoding="utf-8")) for file in files]


def trim(record: Record) -> Record:
    """Return what the audit needs of an advisory, without its references and long text."""
    text = str(record.get("summary") or record.get("details") or record["id"])
    return {
        "id": record["id"],
        "aliases": sorted(record.get("aliases", [])),
        "summary": " ".join(text.split())[:200],
        "affected": [
            {
                "package": {
                    "name": canonicalize_name(affected["package"]["name"]),  # as pip-audit does
                    "ecosystem": ECOSYSTEM,
                },
                "ranges": (
                    spans := [s for s in affected.get("ranges", ()) if s["type"] == "ECOSYSTEM"]
                ),
                **({} if spans else {"versions": affected.get("versions", [])}),
            }
            for affected in record.get("affected", ())
            if affected["package"]["ecosystem"] == ECOSYSTEM
        ],
    }


def refresh(names: Iterable[str], checkout: Path | None, snapshot: dict[str, Any]) -> None:
    """Put all advisories of the packages into ``snapshot``; change nothing if one is missing.

    Raises:
        requests.RequestException, OSError, yaml.YAMLError: the source is out of reach or damaged.
    """
    packages = {}
    for name in sorted(names):
        records = query_osv(name) if checkout is None else read_checkout(checkout, name)
        packages[name] = [trim(record) for record in records if not record.get("withdrawn")]
    snapshot["made"] = datetime.now(UTC).date().isoformat()
    snapshot["source"] = "OSV" if checkout is None else "a checkout of pypa/advisory-database"
    snapshot["complete"] = True
    snapshot["packages"] = packages


def main(arguments: list[str] | None = None) -> int:
    """Audit, or renew the snapshot; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m requirements.audit", description=__doc__)
    parser.add_argument("action", nargs="?", choices=["audit", "refresh"], default="audit")
    parser.add_argument("--from", dest="checkout", type=Path, help="of pypa/advisory-database")
    parser.add_argument("--snapshot", type=Path, default=SNAPSHOT)
    parser.add_argument("--locks", type=Path, default=HERE, help="folder of the lock files")
    options = parser.parse_args(arguments)
    pins = read_pins(sorted(options.locks.glob("*.lock")))
    snapshot = json.loads(options.snapshot.read_text(encoding="utf-8"))
    if options.action == "audit":
        return audit(pins, snapshot)
    try:
        refresh({name for name, _ in pins}, options.checkout, snapshot)
    except (requests.RequestException, OSError, yaml.YAMLError) as error:
        print(f"audit: {options.snapshot.name} stays as it is: {error}", file=sys.stderr)
        return 1
    text = json.dumps(snapshot, indent=1, ensure_ascii=False) + "\n"
    options.snapshot.write_text(text, encoding="utf-8")
    found = sum(map(len, snapshot["packages"].values()))
    print(f"audit: {found} advisories of {len(snapshot['packages'])} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
