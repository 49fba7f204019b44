"""Records of media on the disk, which the recorder reports and the journal keeps.

Paths are relative to the part folder, with ``/``; times are on the recording clock
(:func:`kiosk.clocks.recording_ns`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Track = Literal["main", "channels"]
CAMERA = "camera"
"""Source of the pictures; every other source of media is a microphone."""


@dataclass(frozen=True)
class FragmentRecord:
    """One media fragment that is on the disk (fsynced) and decodable with its run's init file.

    Attributes:
        file: ``main/run-01/000001.m4s`` or ``channels/run-01/000001.m4s``; ``….tar`` when closed.
        offset: first byte of the fragment in the file.
        length: bytes.
        sha256: lower-case hex of exactly these bytes on the disk.
        start_ns: recording clock of the first picture or sample in it.
        end_ns: recording clock after the last.
        sources: ``camera`` and microphone names that have samples in it, sorted. In ``main``
            these are the camera and the microphones that went into the mix.
        track: ``main`` (H.264 and AAC mix) or ``channels`` (FLAC per source).
        plain_length, plain_sha256: in a closed part, of the plain media in it (else 0 and empty).
    """

    file: str
    offset: int
    length: int
    sha256: str
    start_ns: int
    end_ns: int
    sources: tuple[str, ...]
    track: Track
    plain_length: int = 0
    plain_sha256: str = ""


@dataclass(frozen=True)
class FileRecord:
    """A file that is complete, fsynced, and will not change any more.

    Attributes:
        file: path relative to the part folder.
        kind: ``init`` (ftyp + moov of a run), ``media`` (a minute of fragments) or ``playlist``
            (reported once, when the part is stopped).
        length: bytes.
        sha256: lower-case hex of the whole file.
        start_ns: recording clock of the first media in it (``init``, ``playlist``: of the run or
            part).
        end_ns: recording clock after the last media in it.
        plain_length, plain_sha256: in a closed part, of the plain pieces in it, joined.
    """

    file: str
    kind: Literal["init", "media", "playlist"]
    length: int
    sha256: str
    start_ns: int
    end_ns: int
    plain_length: int = 0
    plain_sha256: str = ""


@dataclass(frozen=True)
class Interruption:
    """An interruption of one source, for the interruption ledger.

    Reported when it is noticed (``end_ns`` None) and again, with the same ``number``, when it is
    over or the part ends.

    Attributes:
        number: counts from 1 within the part.
        source: ``camera``, a microphone's name, ``storage`` (the kiosk's own disk) or ``mirror``.
        kind: state of a microphone that is lost, ``absent``, ``frozen``, ``gap`` (samples lost),
            ``dropped`` (pictures lost), ``encoder`` (too slow); of a storage ``slow``, ``full``,
            ``read_only``, ``gone``, ``absent``, ``foreign``, ``failed`` or ``write_failed``.
        start_ns: recording clock of the last good sample or picture before it.
        end_ns: recording clock of the first good one after it, or None while it lasts.
        pictures: at the end of ``encoder``, how many were left out.
        lost_ns: how much was lost of the time between; None: all of it. Of a storage nothing is
            lost while another storage or the memory has it.
    """

    number: int
    source: str
    kind: str
    start_ns: int
    end_ns: int | None = None
    pictures: int | None = None
    lost_ns: int | None = None

    @property
    def seconds(self) -> float | None:
        """Seconds lost, or None while it lasts."""
        if self.end_ns is None:
            return None
        lost_ns = self.end_ns - self.start_ns if self.lost_ns is None else self.lost_ns
        return max(0, lost_ns) / 1e9
