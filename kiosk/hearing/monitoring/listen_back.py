"""Plays the last minutes in the headset while the hearing is recorded, and places of ended ones."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from kiosk.api import recorder_calls as api
from kiosk.api.recorder import Playback
from kiosk.config import Settings
from kiosk.errors import HearingError
from kiosk.hearing.room.errors import BadRequestError
from kiosk.recording.part import Part
from kiosk.storage.closed_part import is_closed_part
from kiosk.storage.hearing_folder import part_folder_name
from kiosk.storage.paths import Paths

READY_S = 20.0
"""PortAudio asks every device for its name before it opens one."""
KILLED_S = 0.5
"""A killed process ends within this time, unless it waits for a disk that hangs."""


class NothingToPlayError(HearingError):
    """Nothing is being recorded, or there is no sound of that source."""

    code = "nothing_to_listen"
    status = 409


class PlaybackRefusedError(HearingError):
    """Closed parts are not played on the kiosk."""

    code = "listening_refused"
    status = 409


class NoHeadsetError(HearingError):
    """No headset is configured, or it is not connected."""

    code = "headset_absent"
    status = 409


class ListenBack:
    """Plays back at most one source at a time; a new playback replaces the old one."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._capture: Part | None = None
        self._source: str | None = None
        self._since = self._of_seconds = 0.0

    @property
    def is_running(self) -> bool:
        """Whether something plays, or is about to."""
        return self._process is not None

    def start(self, capture: Part | None, request: api.ListenBack) -> None:
        """Start the playback; :meth:`wait_started` waits until it plays.

        Args:
            capture: the running part, or None.
            request: of the running part, or of a part of a hearing that has ended.

        Raises:
            BadRequestError: no such microphone, or no place in an ended hearing.
            NothingToPlayError, PlaybackRefusedError, NoHeadsetError: it cannot be played.
        """
        seconds, source, from_s = request.seconds, request.source, request.part_seconds
        names = [microphone.name for microphone in self._settings.microphones]
        if source is not None and source not in names:
            raise BadRequestError(f"source: no microphone “{source}”")
        if request.hearing_id is not None:
            folder = self._ended_part(capture, request)
        elif capture is None:
            raise NothingToPlayError("nothing is recorded now")
        elif capture.codec.is_encrypted:
            raise PlaybackRefusedError("the part is closed")
        else:
            folder = capture.folder
        if not self._settings.headset.device:
            raise NoHeadsetError("no headset in the settings")
        self.stop()
        config = {
            "part": str(folder),
            "seconds": seconds,
            "from": from_s,
            "source": source,
            "device": self._settings.headset.device,
            "file_seconds": self._settings.recording.file_seconds,
        }
        command = [sys.executable, "-m", "kiosk.recording.readback.playback", json.dumps(config)]
        with self._lock:
            self._process = subprocess.Popen(
                [*command, str(os.getpid())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            )
            self._capture, self._source, self._of_seconds = capture, source, 0.0

    def _ended_part(self, capture: Part | None, request: api.ListenBack) -> Path:
        """Return the folder of a part of an ended hearing.

        Raises:
            BadRequestError: the request names no place.
            NothingToPlayError: there is no such part.
            PlaybackRefusedError: it is closed, or a hearing is recorded now.
        """
        if request.part is None or request.part_seconds is None:
            raise BadRequestError("part, part_seconds: where it begins in an ended hearing")
        if capture is not None:
            raise PlaybackRefusedError("a hearing is recorded", code="already_recording")
        hearings = Paths.from_settings(self._settings.paths).hearings
        folder = hearings / str(request.hearing_id) / part_folder_name(request.part)
        if not folder.is_dir():
            raise NothingToPlayError("no such part")
        if is_closed_part(folder):
            raise PlaybackRefusedError("the part is closed")
        return folder

    def wait_started(self) -> Playback | None:
        """Wait until it plays; return ``listening`` of State.

        Raises:
            NoHeadsetError: the headset is not connected.
            NothingToPlayError: there is no sound yet, or it was stopped.
        """
        process = self._process
        answer = _read_first_line(process) if process is not None else {}
        if "playing" in answer:
            with self._lock:
                self._since, self._of_seconds = time.monotonic(), float(answer["playing"])
            return self.state()
        self.stop()
        if "absent" in answer or not answer:
            raise NoHeadsetError(str(answer.get("absent", "the headset does not answer")))
        raise NothingToPlayError(str(answer.get("failed", "no sound yet")))

    def stop(self) -> None:
        """Stop the playback, if any."""
        with self._lock:
            process, self._process, self._capture = self._process, None, None
        if process is not None:
            process.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(KILLED_S)
            if process.stdout is not None:
                process.stdout.close()

    def poll(self, capture: Part | None) -> bool:
        """Stop a playback that has ended or must end; return whether anything changed."""
        process = self._process
        if process is None:
            return False
        is_closed = capture is not None and capture.codec.is_encrypted
        ended = capture is not self._capture or is_closed
        if ended or process.poll() is not None:
            self.stop()
            return True
        return False

    def state(self) -> Playback | None:
        """Return ``listening`` of State: what plays and its position; None: nothing plays."""
        with self._lock:
            if self._process is None or not self._of_seconds:
                return None
            played = min(self._of_seconds, time.monotonic() - self._since)
            return Playback(
                source=self._source, seconds=round(played, 1), of_seconds=self._of_seconds
            )


def _read_first_line(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """Return the first line that the child writes, ``{}`` when it writes none in time."""
    assert process.stdout is not None
    with contextlib.suppress(OSError, ValueError):
        if select.select([process.stdout], [], [], READY_S)[0]:
            value = json.loads(process.stdout.readline() or b"{}")
            return dict(value)
    return {}
