"""Wrong rules data is refused with one clear line per problem."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kiosk.rules import RulesError, load_rules
from kiosk.rules.load import DATA_FOLDER


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "data"
    shutil.copytree(DATA_FOLDER, copy)
    return copy


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        ("roles", "kinds = [", 'kinds = ["maritime", ', "no case kind “maritime”"),
        ("order", 'event = "oath"', 'event = "oat"', "no event “oat”"),
        ("order", 'of = ["witnesses"]', 'of = ["winesses"]', "no role “winesses”"),
        ("order", 'session = "conciliation"', 'session = "talk"', "no form “talk”"),
        (
            "order",
            'when = "turn"\nminor = false',
            'when = "course"\nminor = false',
            "turn do not stand together",
        ),
        ("order", 'source = ["S25"', 'saurce = ["S25"', "saurce: Extra inputs"),
        ("oath", '"victim"]', '"vicim"]', "no role “vicim”"),
        ("document_types", '"property", ', '"properti", ', "no fee “properti”"),
        ("document_types", 'type = "claim"', 'type = "clam"', "no document type “clam”"),
        ("roles", 'id = "judge"', 'id = "presiding"', "“presiding” is there twice"),
        ("roles", 'kk = "куә"', 'kk = "ку\u0259"', "Latin schwa"),
        ("roles", 'rights = "control"', 'rights = "all"', "“presiding”: rights: Input should be"),
        ("roles", "rights =", "rigths =", "rigths: Extra inputs are not permitted"),
        ("mrp", "2026-12-31", "2025-06-30", "valid_until is before valid_from"),
        (
            "mrp",
            "valid_from = 2026-01-01",
            "valid_from = 2025-06-01",
            "within the row before it",
        ),
        ("mrp", "2026-01-01", "2026-13-01", "mrp.toml: not TOML"),
        ("oath", "missing =", "text =", "an oath's text needs status S and its norm"),
        ("limits", 'missing = "Value', 'note = "Value', "either a value or the reason"),
        ("short_protocol", "number = 2", "number = 3", "not numbered 1, 2, 3"),
        ("rules", "format = 1", "format = 9", "format 9; this kiosk reads 1"),
    ],
)
def test_problem_is_named(folder: Path, file: str, old: str, new: str, problem: str) -> None:
    change(folder / f"{file}.toml", old, new)
    with pytest.raises(RulesError) as error:
        load_rules(folder)
    assert problem in str(error.value)
    assert f"{file}.toml" in str(error.value)


def test_all_problems_are_told_at_once(folder: Path) -> None:
    (folder / "forms.toml").unlink()
    change(folder / "roles.toml", 'rights = "control"', 'rights = "all"')
    with pytest.raises(RulesError) as error:
        load_rules(folder)
    assert "forms.toml: cannot be read" in str(error.value)
    assert "rights" in str(error.value)
    assert (error.value.exit_code, error.value.code) == (2, "rules_invalid")
