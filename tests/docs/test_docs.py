"""The manual against the code: settings, commands, links, rules files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kiosk.cli import command_names
from kiosk.rules.load import DATA_FOLDER
from kiosk.settings_table import settings_table
from tests.docs import requirements_page
from tests.docs.technician_pictures import step_pictures

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").glob("*.md"),
        ROOT / "kiosk" / "ui" / "README.md",
        ROOT / "requirements" / "README.md",
    ]
)
MAX_COLUMNS = 120
STORED_NAMES = {"kiosk.db", "kiosk.toml", "kiosk.log"}  # files, not modules
TOP_FOLDERS = ("kiosk", "tests", "bench", "faults", "packaging", "systemd", "requirements", "docs")


def test_settings_in_the_manual_are_those_of_the_code() -> None:
    assert (ROOT / "docs" / "settings.md").read_text(encoding="utf-8").endswith(settings_table())


def test_the_page_of_requirements_is_what_the_files_name() -> None:
    """``python -m tests.docs.requirements_page`` writes it anew."""
    assert requirements_page.PAGE.read_text(encoding="utf-8") == requirements_page.page()


def test_a_range_of_requirements_names_each_of_them() -> None:
    assert list(requirements_page.cited("R200-R202, S111; R259–260")) == [
        *("R200", "R201", "R202", "S111", "R259", "R260")
    ]


def test_every_command_is_in_the_manual() -> None:
    manual = (ROOT / "docs" / "operation.md").read_text(encoding="utf-8")
    names = [name.replace("_", "-") for name in command_names()]
    lacking = [name for name in names if not re.search(rf"`(kiosk )?{name}\b", manual)]
    assert lacking == []


def test_every_rules_file_is_explained() -> None:
    page = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    assert [path.name for path in sorted(DATA_FOLDER.glob("*.toml")) if path.name not in page] == []


def page_id(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_lines_fit_an_editor(page: Path) -> None:
    """Lines have at most 120 columns; rows of tables may be longer."""
    lines = enumerate(page.read_text(encoding="utf-8").splitlines(), 1)
    long = [n for n, line in lines if len(line) > MAX_COLUMNS and not line.startswith("|")]
    assert long == []


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_named_files_and_modules_exist(page: Path) -> None:
    """A page names no file, folder or module of this project that is gone."""
    text = page.read_text(encoding="utf-8")
    paths = re.findall(rf"`((?:{'|'.join(TOP_FOLDERS)})/[\w./-]*)`", text)
    modules = re.findall(r"`(?:python -m )?((?:kiosk|bench|faults|tests)(?:\.\w+)+)`", text)
    gone = [path for path in paths if not (ROOT / path).exists()]
    gone += [name for name in modules if not module_exists(name) and name not in STORED_NAMES]
    assert gone == []


def module_exists(name: str) -> bool:
    """Say whether ``name`` is a module, or a name in one."""
    path = ROOT / Path(*name.split("."))
    if path.is_dir() or path.with_suffix(".py").is_file():
        return True
    for parent in (path.parent.with_suffix(".py"), path.parent / "__init__.py"):
        if parent.is_file():
            return re.search(rf"\b{path.name}\b", parent.read_text("utf-8")) is not None
    return False


def test_make_targets_in_the_pages_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        named = re.findall(r"`make ([a-z-]+)", text)
        for block in re.findall(r"^```\n.*?^```", text, re.MULTILINE | re.DOTALL):
            named += re.findall(r"^(?:sudo )?make ([a-z-]+)", block, re.MULTILINE)
        assert set(named) <= targets, page.name


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text(encoding="utf-8"))
    pictures = {"docs/images/recording.png"}  # written by the demo on the maintainer's machine
    gone = [link for link in links if not (page.parent / link).exists() and link not in pictures]
    assert gone == []


def test_the_steps_of_a_room_are_shown_in_three_languages() -> None:
    page = (ROOT / "docs" / "technician.md").read_text(encoding="utf-8")
    names = [f"images/{file.name}" for _sample, _language, file in step_pictures()]
    assert [name for name in names if f"({name})" not in page] == []


def test_readme_names_the_two_commands() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make demo" in readme
    assert "make test" in readme
