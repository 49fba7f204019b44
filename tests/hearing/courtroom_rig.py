"""A courtroom without devices, which a test can crash and start again."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from kiosk.api.recorder_calls import Statement
from kiosk.clocks import recording_ns
from kiosk.config import (
    CameraSettings,
    KioskSettings,
    MicrophoneSettings,
    PanelSettings,
    PathSettings,
    Settings,
)
from kiosk.evidence.chain import read_chain
from kiosk.hardware.panel import Panel
from kiosk.hardware.sources.sources import Sources
from kiosk.hearing.courtroom import Courtroom
from kiosk.hearing.session.context import CourtroomEvents
from kiosk.recording.part import Part
from kiosk.recording.repair.reencrypt import ReplacedFile
from kiosk.recording.verify.hearing import verify
from kiosk.rules import load_rules
from kiosk.storage.paths import Paths
from tests.hearing.fakes import FakePart
from tests.support.identity import Court
from tests.support.waiting import wait_for

RULES = load_rules()
KIOSK = "kiosk-0001"


def courtroom_settings(
    folder: Path, microphones: tuple[MicrophoneSettings, ...] = (), **groups: Any
) -> Settings:
    """Return settings without camera and panel; data and sockets are under ``folder``."""
    values: dict[str, Any] = {
        "microphones": microphones,
        "kiosk": KioskSettings(id=KIOSK),
        "paths": PathSettings(data=folder / "data", run=folder / "run"),
        "camera": CameraSettings(back_end="none"),
        "panel": PanelSettings(enabled=False),
    }
    return Settings(**values | groups)


class CourtroomRig:
    """A courtroom without devices.

    Args:
        folder: holds the kiosk's data and the test court's certificates.
        settings: default: a kiosk without microphones.

    Attributes:
        parts: those that were started, newest last.
        replaced: the plain files that were replaced, by hearing, newest last.
    """

    def __init__(self, folder: Path, settings: Settings | None = None) -> None:
        self.settings = settings or courtroom_settings(folder)
        self.paths = Paths.from_settings(self.settings.paths)
        self.court = Court.make(folder / "court")
        self.court.issue(KIOSK, self.paths.device_key, self.paths.device_certificate)
        self.parts: list[Any] = []
        self.replaced: list[tuple[Path, list[ReplacedFile]]] = []
        self.start()

    def make_part(self, *arguments: Any) -> Part:
        """Return a part."""
        return FakePart(*arguments)

    def start(self) -> Courtroom:
        """Start as after a boot."""

        def make(*arguments: Any) -> Part:
            part = self.make_part(*arguments)
            self.parts.append(part)
            return part

        self.sources = Sources(self.settings, self.paths.preview)
        panel = Panel(self.settings.panel)
        events = CourtroomEvents(
            on_replaced=lambda folder, files: self.replaced.append((folder, files))
        )
        self.courtroom = Courtroom(
            self.settings, self.paths, RULES, self.sources, panel, make, events
        )
        self.courtroom.seal_queue.retry_s = 0.05
        self.courtroom.recover()
        return self.courtroom

    def crash(self) -> None:
        """Leave everything as a killed process does."""
        self.courtroom.abort()

    def begin(self, **fields: Any) -> str:
        """Start a hearing; return its id."""
        details = {"id": str(uuid.uuid4()), "case_number": "2-15", "kind": "civil"} | fields
        return self.courtroom.start(details, "p1", recording_ns()).hearing_id

    def state(self) -> dict[str, Any]:
        """Return State as JSON."""
        return self.courtroom.state().to_json()

    def statement(self, subject: str, value: Any, note: str = "", person: str = "p1") -> list[str]:
        """Record a statement; return the questions that are still open."""
        request = Statement(subject=subject, value=value, note=note)
        return list(self.courtroom.record_statement(request, person).open_questions)

    def phase(self) -> str:
        """Return the phase."""
        return str(self.courtroom.state().phase)

    def hearing(self) -> dict[str, Any]:
        """Return the hearing of State."""
        return dict(self.state()["hearing"])

    def codes(self) -> set[str]:
        """Return the codes of the alarms."""
        return {alarm.code for alarm in self.courtroom.state().alarms}

    def folder(self, hearing_id: str) -> Path:
        """Return the folder of a hearing."""
        return self.paths.hearings / hearing_id

    def sealed(self, hearing_id: str) -> None:
        """Wait for the seal, then verify."""
        wait_for(lambda: (self.folder(hearing_id) / "SHA256SUMS.p7s").exists(), "the seal")
        assert self.courtroom.seal_queue.wait_idle(10)
        problems = verify(self.folder(hearing_id), self.court.ca, decode=False).problems
        assert not problems, problems

    def lines(self, hearing_id: str, kind: str) -> list[dict[str, Any]]:
        """Return the lines of one kind of the hearing's own journal, with what is owed now."""
        if (hearing := self.courtroom.current) is not None:
            hearing.settle(10)
        chain = read_chain(self.folder(hearing_id) / "journal.jsonl")
        return [entry for entry in chain.entries if entry["kind"] == kind]
