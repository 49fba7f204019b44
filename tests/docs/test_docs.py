"""The manual against the code: settings, commands, links, rules files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kiosk.cli import command_names
from kiosk.rules.load import DATA_FOLDER
from kiosk.settings_table import settings_table

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def test_settings_in_the_manual_are_those_of_the_code() -> None:
    assert (ROOT / "docs" / "operation.md").read_text(encoding="utf-8").endswith(settings_table())


def test_every_command_is_in_the_manual() -> None:
    manual = (ROOT / "docs" / "operation.md").read_text(encoding="utf-8")
    names = [name.replace("_", "-") for name in command_names()]
    lacking = [name for name in names if not re.search(rf"`(kiosk )?{name}\b", manual)]
    assert lacking == []


def test_every_rules_file_is_explained() -> None:
    page = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    assert [path.name for path in sorted(DATA_FOLDER.glob("*.toml")) if path.name not in page] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text(encoding="utf-8"))
    pictures = {"docs/images/recording.png"}  # written by the demo on the maintainer's machine
    gone = [link for link in links if not (page.parent / link).exists() and link not in pictures]
    assert gone == []


def test_readme_names_the_two_commands() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make demo" in readme
    assert "make test" in readme
