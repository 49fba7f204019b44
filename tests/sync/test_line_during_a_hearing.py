"""Recorder, sync and central system together: the line gets worse in a hearing, and good again."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk.evidence.chain import read_chain
from kiosk.export.minutes import LINE_TROUBLES
from kiosk.locale import Translator
from kiosk.settings_files import load_settings
from kiosk.storage.paths import Paths
from tests.support.delivery_rig import KIOSK, Process, short_folder, temporary_central
from tests.support.network_link import CENTRE_ADDRESS, NetworkLink, unavailable_reason
from tests.support.virtual_courtroom import KIOSK as OTHER_KIOSK
from tests.support.virtual_courtroom import RefusedError, VirtualCourtroom
from tests.support.waiting import wait_for

GOOD_MS, POOR_MS = 20.0, 460.0
pytestmark = [
    pytest.mark.root,
    pytest.mark.slow,
    pytest.mark.skipif(unavailable_reason() is not None, reason=str(unavailable_reason())),
]


class Room(VirtualCourtroom):
    """A courtroom whose sync reaches a central system over ``link``."""

    def __init__(self, folder: Path, link: NetworkLink, url: str, identity: Path) -> None:
        super().__init__(folder, {"back_end": "none"})
        self._link, self._identity = link, identity
        self._sync = Process(folder / "sync.log")
        central = f'\n[central]\nurl = "{url}"\npoll_seconds = 2.0\n'
        text = self.config.read_text("utf-8").replace(OTHER_KIOSK, KIOSK)
        self.config.write_text(text + central, "utf-8")
        self.paths = Paths.from_settings(load_settings(self.config).paths)

    def start(self) -> None:
        """Start both services; sign the secretary of the central system's list in."""
        shutil.copytree(self._identity, self.paths.device_key.parent, dirs_exist_ok=True)
        self.start_recorder(60)
        with self._link.court():
            self._sync.start_command("--config", str(self.config), "sync")

        def is_signed_in() -> bool:
            try:
                self.sign_in("badge-1")
            except RefusedError:  # the list has not come yet
                return False
            return True

        wait_for(is_signed_in, "the staff list", 60)

    def stop(self) -> None:
        """End sync; the recorder ends with the room."""
        self._sync.stop()

    def begin(self, format_: str) -> str:
        """Begin a hearing; return its id, once the line is watched."""
        hearing = {"id": str(uuid.uuid4()), "kind": "civil", "adhoc": True, "format": format_}
        hearing_id = str(self.call("POST", "/v1/hearings", {"hearing": hearing})["hearing_id"])
        wait_for(self.paths.line.exists, "the state of the line", 60)
        return hearing_id

    def rows(self) -> list[tuple[str, bool]]:
        """Return kind of each break of the line, and whether it is over."""
        rows = (self.state().get("hearing") or {}).get("line", [])
        return [(row["kind"], row["is_over"]) for row in rows]

    def codes(self) -> set[str]:
        """Return the sentences of the line that stand on the secretary's screen."""
        alarms = self.state().get("alarms", [])
        return {alarm["code"] for alarm in alarms if alarm["code"].startswith("line_")}

    def ended(self) -> tuple[Path, list[dict[str, Any]]]:
        """End the hearing; return its folder and the breaks in its journal."""
        folder = self.end_hearing()
        chain = read_chain(folder / "journal.jsonl")
        return folder, [row for row in chain.entries if row["kind"] == "line_trouble_ended"]

    def in_minutes(self, hearing_id: str) -> set[str]:
        """Return the kinds of breaks that its minutes tell."""
        minutes = self.call("POST", f"/v1/minutes/{hearing_id}", {})
        translate, text = Translator(minutes["language"]), str(minutes["fields"])
        words = {kind: translate(told).split("{")[0] for kind, told in LINE_TROUBLES.items()}
        return {kind for kind, told in words.items() if told in text}


@pytest.fixture
def link() -> Iterator[NetworkLink]:
    with NetworkLink(GOOD_MS) as line:
        yield line


@pytest.fixture
def room(template: Path, link: NetworkLink) -> Iterator[Room]:
    folder = short_folder()
    with (
        temporary_central(template, CENTRE_ADDRESS) as central,
        Room(folder / "r", link, central.url, template / "identity") as made,
    ):
        central.start()
        try:
            made.start()
            yield made
        finally:
            made.stop()
    shutil.rmtree(folder, ignore_errors=True)


def test_a_line_that_gets_worse_is_said_journalled_and_over_by_itself(
    room: Room, link: NetworkLink
) -> None:
    hearing_id = room.begin("online")
    link.set_quality(POOR_MS)
    wait_for(lambda: room.codes() == {"line_poor"}, "the sentence of a poor line", 120)
    link.set_quality(GOOD_MS)
    wait_for(lambda: room.codes() == set(), "the end of the sentence", 120)
    link.cut()
    wait_for(lambda: room.codes() == {"line_silent"}, "the sentence of a silent line", 120)
    link.cut(is_cut=False)
    wait_for(lambda: all(is_over for _, is_over in room.rows()), "the end of all", 120)
    wait_for(lambda: room.codes() == set(), "the end of the sentence", 120)
    folder, breaks = room.ended()
    kinds = [row["what"] for row in breaks]  # what waited may come back as a poor line, too
    assert kinds[0] == "poor"
    assert kinds.count("silent") == 1
    assert breaks[0]["lasted"] > 0
    silence = breaks[kinds.index("silent")]["lasted"]
    assert silence > 5, "since the last answer, not since it was noticed"
    report = room.verify(folder)
    assert report["ok"], report
    assert room.in_minutes(hearing_id) == {"poor", "silent"}


def test_in_a_hearing_in_the_room_it_is_journalled_and_not_said(
    room: Room, link: NetworkLink
) -> None:
    hearing_id = room.begin("offline")
    link.cut()
    wait_for(lambda: room.rows() == [("silent", False)], "the row", 120)
    assert room.codes() == set()
    link.cut(is_cut=False)
    wait_for(lambda: room.rows() == [("silent", True)], "its end", 120)
    folder, breaks = room.ended()
    assert [row["what"] for row in breaks] == ["silent"]
    report = room.verify(folder)
    assert report["ok"], report
    assert room.in_minutes(hearing_id) == set()
