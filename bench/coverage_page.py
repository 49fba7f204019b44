"""Write ``docs/coverage.md`` from the data that ``make coverage`` combined.

The floor is ``fail_under`` in ``pyproject.toml``: less coverage makes the command fail. When the
figure is a whole point above the floor, the command asks for a higher one.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import coverage

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "coverage.md"
REPORT = ROOT / "build" / "coverage.json"
LOW_PERCENT = 90.0
INTRODUCTION = """# Test coverage

Made by `make coverage` (do not edit). Share of the statements of `kiosk/` that the tests and the
demo run, services and their child processes included, without the virtual devices. Processes that
end by SIGKILL do not report what they ran (page imaging, services in crash tests), and
`make test-pi` (the real camera library) is not part of it. The floor is `fail_under` in
`pyproject.toml`.
"""


@dataclass(frozen=True)
class Counts:
    """Statements of a file or a package, and how many of them the tests run."""

    statements: int
    covered: int

    @property
    def percent(self) -> float:
        """Share of covered statements; 100 when there are none."""
        return 100.0 * self.covered / self.statements if self.statements else 100.0


def total(counts: Iterable[Counts]) -> Counts:
    """Return the sum of ``counts``."""
    listed = list(counts)
    return Counts(sum(item.statements for item in listed), sum(item.covered for item in listed))


def by_package(files: Mapping[str, Counts]) -> dict[str, Counts]:
    """Return the counts of each package right below ``kiosk``; single modules count together."""
    packages: dict[str, list[Counts]] = {}
    for path, counts in files.items():
        parts = Path(path).parts
        packages.setdefault("/".join(parts[:2]) if len(parts) > 2 else "kiosk", []).append(counts)
    return {name: total(packages[name]) for name in sorted(packages)}


def render(files: Mapping[str, Counts]) -> str:
    """Return the page."""
    lines = [INTRODUCTION, f"**{total(files.values()).percent:.1f} %** of all statements.", ""]
    lines += ["| package | statements | covered |", "|---|---|---|"]
    lines += [
        f"| `{name}` | {counts.statements} | {counts.percent:.1f} % |"
        for name, counts in by_package(files).items()
    ]
    low = sorted(path for path, counts in files.items() if counts.percent < LOW_PERCENT)
    lines += ["", f"## Files below {LOW_PERCENT:.0f} %", ""]
    lines += ["| file | statements | covered |", "|---|---|---|"]
    lines += [
        f"| `{path}` | {files[path].statements} | {files[path].percent:.0f} % |" for path in low
    ]
    return "\n".join(lines) + "\n"


def read_counts() -> dict[str, Counts]:
    """Return the counts of each file of ``kiosk``, by its path in the project."""
    measured = coverage.Coverage()
    measured.load()
    measured.json_report(outfile=str(REPORT))
    files = json.loads(REPORT.read_text(encoding="utf-8"))["files"]
    return {
        path: Counts(file["summary"]["num_statements"], file["summary"]["covered_lines"])
        for path, file in files.items()
    }


def main() -> int:
    """Write the page; exit status 1 when the figure is below the floor."""
    files = read_counts()
    PAGE.write_text(render(files), encoding="utf-8")
    percent = total(files.values()).percent
    with (ROOT / "pyproject.toml").open("rb") as file:
        floor = float(tomllib.load(file)["tool"]["coverage"]["report"]["fail_under"])
    print(f"{percent:.1f} % of statements are covered (floor: {floor:.0f} %); {PAGE}")
    if percent < floor:
        print("coverage fell below fail_under in pyproject.toml: add tests", file=sys.stderr)
        return 1
    if percent >= floor + 1:
        print(f"raise fail_under in pyproject.toml to {int(percent)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
