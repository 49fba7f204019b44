"""List name, version and licence of every package that the kiosk uses: Python's and Debian's.

Licences of Python packages come from their metadata, those of Debian packages from
/usr/share/doc/PACKAGE/copyright. docs/licences.md says what follows from them.
"""

from __future__ import annotations

import argparse
import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

import kiosk
from kiosk.commands._common import print_json

HELP = "list the licences of all packages that the kiosk uses"
EXAMPLES = ("kiosk licences", "kiosk licences --json")
EXIT_STATUS = {0: "the list is complete"}
UNKNOWN = "unknown"
DEBIAN_LIST = Path(kiosk.__file__).parents[1] / "packaging" / "debian-packages.txt"
DEBIAN_MODULES = Path("/usr/lib/python3/dist-packages")
LINKS_TO_DEBIAN = "debian-modules"  # of packaging/setup.sh
DOCUMENTATION = Path("/usr/share/doc")
BUNDLED = {"libx264": "GPL-2.0-or-later", "libx265": "GPL-2.0-or-later"}
"""Libraries in wheels whose licence is stricter than that of the package."""


@dataclass(frozen=True)
class Package:
    """A package with its licence.

    Attributes:
        source: ``python`` or ``debian``.
        licence: an SPDX expression where the package has one, else its own words.
        bundled: what its wheel contains under a stricter licence.
    """

    source: str
    name: str
    version: str
    licence: str
    bundled: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the form of the output."""
    parser.add_argument("--json", action="store_true", help="print the list as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print the list; return 0."""
    packages = [*python_packages(), *debian_packages(DEBIAN_LIST)]
    if arguments.json:
        print_json([asdict(package) for package in packages])
        return 0
    width = max(len(f"{package.name} {package.version}") for package in packages)
    for package in packages:
        bundled = f"; its wheel contains {package.bundled}" if package.bundled else ""
        label = f"{package.name} {package.version}"
        print(f"{package.source:6}  {label:{width}}  {package.licence}{bundled}")
    return 0


def python_packages() -> list[Package]:
    """Return the packages of the environment, without those that Debian has installed."""
    found: dict[str, Package] = {}
    for distribution in distributions():
        folder = Path(str(distribution.locate_file("")))
        if folder == DEBIAN_MODULES or folder.name == LINKS_TO_DEBIAN:
            continue
        name = distribution.metadata["Name"]
        found.setdefault(
            name.lower(),
            Package(
                "python",
                name,
                distribution.version,
                licence_of(distribution),
                ", ".join(bundled_in(distribution)),
            ),
        )
    return [found[name] for name in sorted(found)]


def licence_of(distribution: Distribution) -> str:
    """Return the licence that a package's metadata or licence file names, else ``unknown``."""
    metadata = distribution.metadata
    if "License-Expression" in metadata:
        return metadata["License-Expression"]
    classifiers = [
        value.rsplit(" :: ", 1)[-1]
        for value in metadata.get_all("Classifier") or []
        if value.startswith("License :: ") and value != "License :: OSI Approved"
    ]
    words = metadata["License"].strip() if "License" in metadata else ""
    if words and "\n" not in words:
        return words
    return " or ".join(classifiers) or _title_of_licence_file(distribution) or UNKNOWN


def _title_of_licence_file(distribution: Distribution) -> str:
    for file in distribution.files or ():
        if re.match(r"(?i)(licen[cs]e|copying)", file.name):
            lines = (line.strip() for line in file.read_text().splitlines())
            return next(filter(None, lines), "")
    return ""


def bundled_in(distribution: Distribution) -> Iterator[str]:
    """Yield the libraries of a wheel that have a stricter licence than the package."""
    names = {file.name.partition("-")[0] for file in distribution.files or ()}
    for library in sorted(names & BUNDLED.keys()):
        yield f"{library} ({BUNDLED[library]})"


def debian_packages(names_file: Path) -> list[Package]:
    """Return the installed Debian packages that ``names_file`` names for a kiosk.

    Args:
        names_file: ``packaging/debian-packages.txt``; its sections run and pi count.
    """
    names = set(_kiosk_packages(names_file.read_text(encoding="utf-8").splitlines()))
    answer = subprocess.run(
        ["dpkg-query", "-W", "-f", "${db:Status-Status}\t${Package}\t${Version}\t${Provides}\n"],
        check=True,
        capture_output=True,
        text=True,
    )
    found = {}
    for line in answer.stdout.splitlines():
        status, name, version, provides = line.split("\t")
        # Debian 13 renamed libraries: libmtdev1t64 provides libmtdev1.
        own = {name, *re.findall(r"(?:^|, )([a-z0-9.+-]+)", provides)}
        if status == "installed" and names & own:
            found[name] = Package("debian", name, version, debian_licence(DOCUMENTATION / name))
    return [found[name] for name in sorted(found)]


def _kiosk_packages(lines: Iterable[str]) -> list[str]:
    names, section = [], ""
    for line in map(str.strip, lines):
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#") and section in ("run", "pi"):
            names.append(line)
    return names


def debian_licence(folder: Path) -> str:
    """Return the licences that a Debian package's ``copyright`` names, else where it is."""
    file = folder / "copyright"
    if not file.is_file():
        return UNKNOWN
    text = file.read_text(encoding="utf-8", errors="replace")
    names = re.findall(r"^License: *(\S.*)$", text, flags=re.MULTILINE)
    names += [] if names else re.findall(r"/usr/share/common-licenses/([\w.+-]*\w)", text)
    return ", ".join(sorted({name.strip() for name in names})) or f"see {file}"
