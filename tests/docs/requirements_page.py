"""Write ``docs/requirements.md``: where each requirement is served and tested.

``python -m tests.docs.requirements_page``. Files name the requirements that they serve (``R47``,
``S11``, ``R20-R23``) in their docstrings, and the rules data in ``source``.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "requirements.md"
TABLE = Path(__file__).with_name("requirements.toml")
CITATION = re.compile(r"\b([RS])(\d{1,3})(?:\s*[–-]\s*[RS]?(\d{1,3}))?\b")
MOST_FILES = 4  # named in a row
SCOPES = {"K": "kiosk", "H": "another system", "C": "context"}
INTRODUCTION = """# Requirements

Made by `python -m tests.docs.requirements_page` (do not edit) from `tests/docs/requirements.toml`
and from the files that name a requirement. R: the letter of the acting Prosecutor General of 2021;
S: the law behind it. "By data" means that only the rules data hold it (`kiosk/rules/`), which may
be less than serving it. A file that names a requirement does not prove that all of it is served:
read the file and its test.
"""


def cited(text: str) -> Iterator[str]:
    """Yield the ids that a text names; ``R20-R23`` names four."""
    for letter, first, last in CITATION.findall(text):
        for number in range(int(first), int(last or first) + 1):
            yield f"{letter}{number}"


def files_by_requirement(folder: Path, patterns: Iterable[str]) -> Mapping[str, list[str]]:
    """Return the files below ``folder`` that name each requirement.

    The central system is another one than the kiosk, and its S3 store no requirement.
    """
    found: dict[str, list[str]] = {}
    for path in sorted(path for pattern in patterns for path in folder.rglob(pattern)):
        if path.relative_to(folder).parts[0] == "central":
            continue
        for name in sorted(set(cited(path.read_text(encoding="utf-8")))):
            found.setdefault(name, []).append(path.relative_to(ROOT).as_posix())
    return found


def page() -> str:
    """Return the page."""
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    everywhere = files_by_requirement(ROOT / "kiosk", ("*.py", "*.toml"))
    data = {
        name: [file for file in files if file.startswith("kiosk/rules/")]
        for name, files in everywhere.items()
    }
    code = {
        name: [file for file in files if not file.startswith("kiosk/rules/")]
        for name, files in everywhere.items()
    }
    tests = files_by_requirement(ROOT / "tests", ("test_*.py",))
    counts: Counter[str] = Counter()
    rows = []
    for name, row in table.items():
        state = _state(row["scope"], code.get(name), data.get(name), tests.get(name))
        counts[state] += 1
        norm = f" ({row['norm']})" if "norm" in row else ""
        cells = (
            name,
            f"{row['asks']}{norm}",
            row["kiosk"],
            state,
            _names(code.get(name) or data.get(name) or []),
            _names(tests.get(name) or []),
        )
        rows.append("| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |")
    summary = ", ".join(f"{count} {state}" for state, count in counts.most_common())
    head = "| # | it asks | the kiosk must | state | served by | tested by |"
    return "\n".join(
        (INTRODUCTION, f"{summary}.", "", head, "|---|---|---|---|---|---|", *rows, "")
    )


def _state(
    scope: str, code: list[str] | None, data: list[str] | None, tests: list[str] | None
) -> str:
    if scope == "C":
        return "context"
    if code:
        return "served" if tests else "served, test names it not"
    if data:
        return "by data"
    return "**no**" if scope == "K" else "**no** (another system)"


def _names(files: list[str]) -> str:
    more = f", and {len(files) - MOST_FILES} more" if len(files) > MOST_FILES else ""
    return ", ".join(f"`{file}`" for file in files[:MOST_FILES]) + more


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
