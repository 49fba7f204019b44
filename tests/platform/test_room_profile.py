"""The room profile over ``kiosk.toml``: what it sets, what it may not, what a broken one stops."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk import cli
from kiosk.room_profile import RoomProfileError, format_profile, parse_profile
from kiosk.settings_files import load_settings, load_settings_files

MICROPHONE = '[[microphones]]\nname = "{0}"\nrole = "{0}"\ndevice = "{1}"\n'
BASE = '[kiosk]\nid = "astana-7"\nroom = "1"\n' + MICROPHONE.format("judge", "usb:1-1.1")
PROFILE = '[kiosk]\nroom = "12"\n[kiosk.court]\nkk = "Астана соты"\n' + MICROPHONE.format(
    "witness", "serial:A1"
)


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    """A settings file whose data folder has no profile yet."""
    path = tmp_path / "kiosk.toml"
    path.write_text(f"{BASE}[paths]\ndata = '{tmp_path / 'data'}'\n", encoding="utf-8")
    (tmp_path / "data" / "room").mkdir(parents=True)
    return path


def profile_of(settings_file: Path) -> Path:
    """Return the profile's path."""
    return settings_file.parent / "data" / "room" / "room.toml"


def test_a_profile_replaces_keys_of_a_table_and_the_whole_list_of_microphones(
    settings_file: Path,
) -> None:
    profile_of(settings_file).write_text(PROFILE, encoding="utf-8")
    settings = load_settings(settings_file)
    assert (settings.kiosk.id, settings.kiosk.room) == ("astana-7", "12")
    assert settings.kiosk.court["kk"] == "Астана соты"
    assert [row.name for row in settings.microphones] == ["witness"]


@pytest.mark.parametrize(
    ("profile", "said"),
    [
        ("[camera", "not TOML"),
        ("x = " + "[" * 5000, "not TOML"),
        ("[camera]\nfps = " + "1" * 5000, "not TOML"),
        ("[kiosk]\nid = 'other'", "kiosk.id is not the room's"),
        ("[paths]\ndata = '/tmp'", "[paths] is not the room's"),
        ("[central]\nurl = 'https://evil.example'", "[central] is not the room's"),
        ("[recording]\nencrypt = 'closed'", "[recording] is not the room's"),
        ("[camera]\nfps = 4", "room.toml:2: camera.fps = 4"),
        ("camera = 3", "room.toml:1: camera = 3"),
        (
            MICROPHONE.format("a", "usb:1-1") + MICROPHONE.format("b", "usb:1-1"),
            "room.toml:8: microphones.2.device = 'usb:1-1': microphone “a” has channel 0",
        ),
    ],
)
def test_a_broken_profile_stops_nothing_and_stays(
    settings_file: Path, caplog: pytest.LogCaptureFixture, profile: str, said: str
) -> None:
    profile_of(settings_file).write_text(profile, encoding="utf-8")
    settings = load_settings(settings_file)
    assert [row.device for row in settings.microphones] == ["usb:1-1.1"]
    assert settings.kiosk.room == "1"
    assert said in caplog.text
    assert load_settings_files(settings_file).problem in caplog.text
    assert profile_of(settings_file).read_text(encoding="utf-8") == profile


def test_a_profile_that_cannot_be_read_stops_nothing(settings_file: Path) -> None:
    profile_of(settings_file).write_bytes(b"\xff\xfe")
    assert "not UTF-8" in load_settings_files(settings_file).problem
    profile_of(settings_file).unlink()
    profile_of(settings_file).mkdir()
    assert "cannot be read" in load_settings_files(settings_file).problem
    assert load_settings(settings_file).kiosk.room == "1"


def test_the_command_says_which_line_sets_each_value(
    settings_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    profile = profile_of(settings_file)
    profile.write_text(PROFILE, encoding="utf-8")
    assert cli.main(["--config", str(settings_file), "config", "--origins"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert f'kiosk.id = "astana-7"  # {settings_file}:2' in said
    assert f'kiosk.room = "12"  # {profile}:2' in said
    assert f'microphones.1.device = "serial:A1"  # {profile}:8' in said
    assert "microphones.1.rate = 48000  # default" in said
    assert "camera.fps = 25  # default" in said


def test_the_command_says_why_a_profile_does_not_count(
    settings_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    profile_of(settings_file).write_text("[camera]\nfps = 4\n", encoding="utf-8")
    assert cli.main(["--config", str(settings_file), "config", "--origins"]) == 0
    shown = capsys.readouterr()
    assert "camera.fps = 25  # default" in shown.out.splitlines()
    assert "the room profile does not count" in shown.err
    assert "camera.fps = 4" in shown.err


VALUES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.integers(-(2**63), 2**63 - 1),
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=3),
)
KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
ROWS = st.dictionaries(KEYS, VALUES, max_size=4)


@given(
    voice=st.dictionaries(KEYS, st.one_of(VALUES, ROWS), max_size=4),
    rows=st.lists(ROWS, max_size=3),
)
def test_what_is_written_is_what_is_read(voice: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    tables = {"microphones": rows, "voice": voice}
    assert tomllib.loads(format_profile(tables)) == tables


@pytest.mark.parametrize("value", [None, float("nan"), "\ud800", {"deep": object()}])
def test_what_toml_cannot_say_is_refused(value: object) -> None:
    with pytest.raises(RoomProfileError):
        parse_profile(format_profile({"voice": {"volume": value}}))
