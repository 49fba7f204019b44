"""A room's profile on the technician's stick: checked, taken over, and saved for another room."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from kiosk.api.room import StickProfiles
from kiosk.config import Settings
from kiosk.errors import StorageError
from kiosk.export.removable_drive import VIRTUAL_MARKER
from kiosk.room_profile import format_profile, parse_profile
from kiosk.services.stick import find_stick
from kiosk.services.stick_profiles import MAX_BYTES, MAX_FILES, StickProfileService
from kiosk.ui.app_state import AppState
from kiosk.ui.technician.commissioning.commissioning import view
from kiosk.ui.technician.commissioning.taps import tap
from tests.support.room_rig import RoomRig

ROOM_12: dict[str, Any] = {
    "kiosk": {"room": "12", "language": "ru", "court": {"en": "Court of Almaty"}},
    "camera": {"picture": {"focus": "fixed", "focus_dioptres": 0.5}},
    "microphones": [
        {"name": "bench", "role": "presiding", "device": "usb:1f00200000.usb/1.1", "channel": 0},
        {"name": "witness", "role": "witness", "device": "usb:1f00200000.usb/1.2", "channel": 0},
    ],
    "printer": {"port": "/dev/usb/lp0"},
}


@pytest.fixture
def service(tmp_path: Path) -> StickProfileService:
    """The service of a kiosk whose stick is ``tmp_path/stick``."""
    file = tmp_path / "kiosk.toml"
    file.write_text(f"[paths]\ndata = '{tmp_path / 'data'}'\n", encoding="utf-8")
    (tmp_path / "stick").mkdir()
    return StickProfileService(Settings(), file, lambda _settings: tmp_path / "stick")


GARBAGE: dict[str, tuple[bytes, str]] = {
    "none": (b"\x00\xff" * 100, "cannot be read: UnicodeDecodeError"),
    "text": (b"this is no profile", "not TOML"),
    "large": (b"# " + b"x" * MAX_BYTES, "larger than 64 KiB"),
    "foreign": (b"[central]\nurl = 'https://evil.example'\n", "[central] is not the room's"),
    "paths": (b"[paths]\ndata = '/tmp'\n", "[paths] is not the room's"),
    "identity": (b"[kiosk]\nid = 'kiosk-6666'\n", "kiosk.id is not the room's"),
    "value": (b"[camera]\nfps = 400\n", "camera.fps = 400"),
    "form": (b"microphones = 7\n", "microphones"),
    "twice": (
        b"[[microphones]]\nname='a'\nrole='a'\ndevice='x'\n" * 2,
        "microphones",
    ),
}


@pytest.mark.parametrize("name", list(GARBAGE))
def test_what_is_no_profile_says_why_and_hides_none_of_the_others(
    service: StickProfileService, tmp_path: Path, name: str
) -> None:
    content, said = GARBAGE[name]
    (tmp_path / "stick" / "a.toml").write_bytes(content)
    (tmp_path / "stick" / "b.toml").write_text(format_profile(ROOM_12), encoding="utf-8")
    bad, good = service.read()
    assert said in bad.problem
    assert (bad.file, bad.profile, bad.room) == ("a.toml", {}, "")
    assert (good.problem, good.room, good.microphones) == ("", "12", 2)
    assert "room" not in good.profile["kiosk"]
    assert good.profile["microphones"] == ROOM_12["microphones"]


def test_a_link_on_a_stick_opens_no_file_of_the_kiosk_and_a_pipe_hangs_nobody(
    service: StickProfileService, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.toml"
    secret.write_text(format_profile(ROOM_12), encoding="utf-8")
    (tmp_path / "stick" / "link.toml").symlink_to(secret)
    os.mkfifo(tmp_path / "stick" / "pipe.toml")
    (tmp_path / "stick" / "folder.toml").mkdir()
    assert [(row.problem, row.profile) for row in service.read()] == [("this is no file", {})] * 3


def test_a_stick_that_is_gone_is_said(service: StickProfileService, tmp_path: Path) -> None:
    assert service.read() == []
    (tmp_path / "stick").rmdir()
    with pytest.raises(StorageError) as refused:
        service.save()
    assert refused.value.code == "stick_failed"


def test_the_name_of_a_room_leads_nowhere_else(
    service: StickProfileService, tmp_path: Path
) -> None:
    profile = tmp_path / "data" / "room" / "room.toml"
    profile.parent.mkdir(parents=True)
    profile.write_text('[kiosk]\nroom = "../../x/№ 7 б"\n', encoding="utf-8")
    name = service.save()
    assert (name, "/" in name) == ("room-_x_7_б.toml", False)
    assert parse_profile((tmp_path / "stick" / name).read_text(encoding="utf-8"))["kiosk"] == {
        "room": "../../x/№ 7 б"
    }


def test_names_that_no_screen_can_show_hide_no_other_profile(
    service: StickProfileService, tmp_path: Path
) -> None:
    stick, text = tmp_path / "stick", format_profile(ROOM_12)
    for number in range(MAX_FILES):
        (stick / f"._room-{number:02}.toml").write_bytes(b"\x00\x05\x16\x07")  # as a Mac adds them
    for name in (b"a\xff.toml", b"b\nline.toml", "c\u202emot.toml".encode(), b"D-12.TOML"):
        Path(os.fsdecode(os.fsencode(stick) + b"/" + name)).write_text(text, encoding="utf-8")
    rows = service.read()
    assert [(row.file, row.problem) for row in rows] == [
        ("D-12.TOML", ""),
        ("a\ufffd.toml", ""),
        ("b\ufffdline.toml", ""),
        ("c\ufffdmot.toml", ""),
    ]
    StickProfiles(profiles=tuple(rows)).model_dump_json()


@pytest.mark.parametrize(
    "room",
    ["12\n13", "12\u202e31", "", " ", "1" * 500],
    ids=["line", "rtl", "none", "blank", "long"],
)
def test_a_room_that_no_screen_can_name_is_not_taken_over(
    service: StickProfileService, tmp_path: Path, room: str
) -> None:
    text = format_profile({**ROOM_12, "kiosk": {"room": room}})
    (tmp_path / "stick" / "a.toml").write_text(text, encoding="utf-8")
    (row,) = service.read()
    assert "kiosk.room" in row.problem


def test_the_second_storage_is_no_stick(tmp_path: Path) -> None:
    (tmp_path / VIRTUAL_MARKER).touch()
    (tmp_path / "MIRROR" / "kiosk").mkdir(parents=True)
    settings = Settings.model_validate(
        {
            "paths": {"mirror": str(tmp_path / "MIRROR" / "kiosk")},
            "export": {"media": [str(tmp_path)]},
        }
    )
    with pytest.raises(StorageError) as refused:
        find_stick(settings)
    assert refused.value.code == "drive_absent"
    (tmp_path / "STICK").mkdir()
    assert find_stick(settings) == tmp_path / "STICK"


# -- on the screen -----------------------------------------------------------------------------
def labels(app: AppState) -> list[str]:
    """Return what can be tapped."""
    return [choice.label for choice in view(app).choices]


@pytest.mark.slow
def test_a_room_like_another_one_takes_its_profile_over_but_not_its_number(room: RoomRig) -> None:
    async def story() -> None:
        async with room.screen() as app:
            actions = app.commissioning
            await actions.begin("p-1")
            await actions.choose_language("kk")
            app.translate.switch_language("en")
            await actions.stick.look()
            assert "No drive is plugged in" in view(app).lines[0][0]
            stick = room.plug_stick()
            await actions.stick.look()
            assert view(app).text.startswith("No room’s profile is on the stick")
            (stick / "room-12.toml").write_text(format_profile(ROOM_12), encoding="utf-8")
            (stick / "other.toml").write_text("[paths]\n", encoding="utf-8")
            await actions.stick.look()
            assert labels(app) == ["other.toml", "Room 12"]
            await actions.take_profile("other.toml")
            assert actions.state.record.draft == {"kiosk": {"language": "kk"}}
            await actions.take_profile("room-12.toml")
            assert "Taken over: room 12." in view(app).lines[0][0]
            assert view(app).text == "Room 1"
            for digit in "14":
                tap(app, f"digit:{digit}")
            await actions.keep_room()
            assert [row["name"] for row in actions.rows()] == ["bench", "witness"]
            await actions.apply()
            await asyncio.to_thread(room.restart_recorder)  # as systemd does
            await actions.load()
            settings = actions.settings()
            assert (settings.kiosk.room, settings.kiosk.language) == ("14", "kk")
            assert settings.camera.picture.focus == "fixed"
            assert settings.printer.port == "/dev/usb/lp0"
            await actions.stick.save()
            assert actions.stick.state.saved == "room-14.toml"
            saved = parse_profile((stick / "room-14.toml").read_text(encoding="utf-8"))
            assert saved == {
                **ROOM_12,
                "kiosk": {**ROOM_12["kiosk"], "room": "14", "language": "kk"},
            }

    asyncio.run(story())
