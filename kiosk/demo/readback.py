"""Measures what the demo made with standard tools: ffprobe, sha256sum, openssl, a PDF reader.

Nothing here trusts what the kiosk reported while it ran; a figure that cannot be read back is an
error, not a default.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pikepdf

from kiosk.errors import KioskError
from kiosk.recording.formats.run_reader import list_runs
from kiosk.storage.hashing import sha256_of


@dataclass(frozen=True)
class PartContent:
    """Content of a part by ffprobe: decoded frames, seconds of the longest track, tracks."""

    video_frames: int
    seconds: float
    audio_tracks: int


def _probe(path: Path) -> list[dict[str, Any]]:
    """Return ffprobe's streams of ``path``, frames counted by decoding every one."""
    command = ["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-of", "json", str(path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0 or result.stderr.strip():
        raise KioskError(f"{path}: ffprobe complains: {result.stderr.strip()[:500]}")
    return list(json.loads(result.stdout)["streams"])


def _join_run(run: Path, scratch: Path) -> Path:
    """Join ``init.mp4`` and the media files of one run into one plain MP4 in ``scratch``."""
    name = hashlib.sha256(str(run).encode()).hexdigest()[:12]
    target = scratch / f"{name}.mp4"
    with target.open("wb") as output:
        for piece in [run / "init.mp4", *sorted(run.glob("*.m4s"))]:
            output.write(piece.read_bytes())
    return target


def _duration(stream: dict[str, Any], frames_per_second: float | None = None) -> float:
    """Return a stream's length in seconds: its own figure, else from counted frames."""
    if "duration" in stream:
        return float(stream["duration"])
    if frames_per_second:
        return int(stream["nb_read_frames"]) / frames_per_second
    return 0.0


def read_part(part: Path, scratch: Path) -> PartContent:
    """Decode all of ``part`` (``main`` and ``channels``) and return its content."""
    frames, seconds, tracks = 0, 0.0, 0
    for run in list_runs(part / "main"):
        streams = _probe(_join_run(run, scratch))
        video = [stream for stream in streams if stream["codec_type"] == "video"]
        frames += sum(int(stream["nb_read_frames"]) for stream in video)
        seconds += max(_duration(stream) for stream in streams)
    for run in list_runs(part / "channels"):
        streams = _probe(_join_run(run, scratch))
        tracks = max(tracks, sum(stream["codec_name"] == "flac" for stream in streams))
    return PartContent(frames, seconds, tracks)


def video_seconds(path: Path) -> float:
    """Decode all of a video; return its length."""
    return max(_duration(stream) for stream in _probe(path))


def read_closed_part(folder: Path, number: int, key: Path, scratch: Path) -> PartContent:
    """Decrypt the closed parts of ``folder`` with the court's key; return the content of one.

    Raises:
        KioskError: something in the part is not encrypted, or cannot be decrypted or decoded.
    """
    part = folder / f"part-{number:02d}"
    plain = [path.name for path in part.rglob("*") if path.suffix in (".m4s", ".mp4")]
    if plain:
        raise KioskError(f"{part}: not encrypted: {plain}")
    command = [sys.executable, "-m", "kiosk.cli", "decrypt", str(folder), "--key", str(key)]
    result = subprocess.run(
        [*command, "--out", str(scratch)], capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        raise KioskError(f"kiosk decrypt: {result.stderr.strip()[:500]}")
    frames, seconds, tracks = 0, 0.0, 0
    for video in sorted(scratch.rglob("main-run-*.mp4")):
        streams = _probe(video)
        frames += sum(int(s["nb_read_frames"]) for s in streams if s["codec_type"] == "video")
        seconds += max(_duration(stream) for stream in streams)
    for sound in scratch.rglob("channels-run-*.mp4"):
        tracks = max(tracks, sum(stream["codec_name"] == "flac" for stream in _probe(sound)))
    return PartContent(frames, seconds, tracks)


def checksums_match(folder: Path) -> bool:
    """Return whether ``sha256sum --check`` finds every file of ``folder/SHA256SUMS`` intact."""
    command = ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0


def is_signature_valid(folder: Path, ca: Path) -> bool:
    """Return whether ``openssl cms -verify`` accepts the seal of ``folder`` under ``ca``."""
    command = ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", "SHA256SUMS.p7s"]
    command += ["-content", "SHA256SUMS", "-CAfile", str(ca.resolve()), "-purpose", "any"]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0


def run_verify(folder: Path, ca: Path, key: Path | None = None) -> tuple[bool, str]:
    """Run ``kiosk verify`` on ``folder``; return whether it passed, and its output.

    Args:
        key: private key with which closed parts are decoded, too.
    """
    command = [sys.executable, "-m", "kiosk.cli", "verify", str(folder), "--ca", str(ca)]
    command += [] if key is None else ["--key", str(key)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.returncode == 0, (result.stdout or result.stderr).strip()


def pdf_pages(path: Path) -> int:
    """Return the number of pages of the PDF at ``path``."""
    with pikepdf.open(path) as document:
        return len(document.pages)


def are_all_delivered(files: Iterable[Path], delivered: set[str]) -> bool:
    """Return whether there is at least one file and all hashes are in ``delivered``."""
    hashes = [sha256_of(path) for path in files]
    return bool(hashes) and all(value in delivered for value in hashes)
