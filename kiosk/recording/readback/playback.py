"""Child process that plays the last minutes of a running part, or a place of any, in the headset.

It reads complete fragments from the files as any player does, and never writes. It reports in JSON
lines on its standard output: ``playing`` (seconds), ``absent`` or ``failed`` (why), ``empty``.
"""

from __future__ import annotations

import io
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from kiosk.clocks import NS_PER_S
from kiosk.hardware.child_process.pdeathsig import die_with_parent
from kiosk.hardware.child_process.priority import lower_priority
from kiosk.hardware.headset import RATE, Headset, HeadsetAbsentError
from kiosk.recording.formats.fmp4_scan import TrackTable, begin_ns, fragment_ends
from kiosk.recording.formats.run_reader import list_runs, media_files
from kiosk.storage.hearing_folder import INIT

MAX_GAP_S = 2.0
"""Longer gaps are shortened to this when played."""
WARM_UP_S = 0.2
"""Decoded before the first sample that is played, because a decoder fades in."""
Samples = NDArray[np.int16]


def latest_media(part: Path, track: str, seconds: float, file_seconds: float) -> bytes | None:
    """Return the newest run's init file and the complete fragments of its last files, or None.

    Args:
        seconds: how much is needed.
        file_seconds: length of a media file.
    """
    for run in reversed(list_runs(part / track)):
        files = media_files(run)
        if files and (run / INIT).exists():
            return _joined(run, files[-(int(seconds // file_seconds) + 2) :])
    return None


def media_from(part: Path, track: str, begin: float, seconds: float) -> Iterator[bytes]:
    """Yield of each run the init file and the files that hold something of a place.

    Args:
        begin, seconds: media time at which the place begins, and how long it is.
    """
    first, last = (begin - WARM_UP_S) * NS_PER_S, (begin + seconds) * NS_PER_S
    for run in list_runs(part / track):
        tracks = TrackTable.read(run / INIT)
        begins = [(path, begin_ns(path, tracks)) for path in media_files(run)]
        files = [(path, at) for path, at in begins if at is not None]
        ends = [at for _, at in files[1:]] + [last + 1]
        needed = [
            path for (path, at), end in zip(files, ends, strict=True) if at < last and end > first
        ]
        if needed:
            yield _joined(run, needed)


def _joined(run: Path, files: list[Path]) -> bytes:
    return (run / INIT).read_bytes() + b"".join(map(_complete_bytes, files))


def _complete_bytes(path: Path) -> bytes:
    ends = fragment_ends(path, 0)
    length = ends[-1][0] + ends[-1][1] if ends else 0
    with path.open("rb") as file:
        return file.read(length)


def latest_audio(
    data: bytes, seconds: float, source: str | None, begin: float | None = None
) -> Iterator[Samples]:
    """Yield ``seconds`` of sound at :data:`RATE`, mono.

    Args:
        source: name of the track; None: the first one (the mix).
        begin: time in the media at which they begin; None: they are the last ones.
    """
    with av.open(io.BytesIO(data), mode="r", format="mp4") as container:
        names = {stream.metadata.get("handler_name"): stream for stream in container.streams.audio}
        stream: Any = names.get(source) if source else next(iter(names.values()), None)
        if stream is None:
            return
        packets = [packet for packet in container.demux(stream) if packet.size]
        base = float(stream.time_base)
        end = max(
            (float(packet.pts + (packet.duration or 0)) * base for packet in packets), default=0.0
        )
        begin = end - seconds if begin is None else begin
        resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
        before = None
        for packet in packets:
            if float(packet.pts) * base < begin - WARM_UP_S:
                continue
            for frame in packet.decode():
                at = float(frame.pts) * base
                if not begin <= at < begin + seconds:
                    continue
                hole = 0.0 if before is None else at - before
                before = at + frame.samples / frame.sample_rate
                if hole > 0.02:
                    yield np.zeros(round(min(hole, MAX_GAP_S) * RATE), np.int16)
                frame.pts = None
                for piece in resampler.resample(frame):
                    yield np.asarray(piece.to_ndarray()[0], np.int16)


def _report(**values: object) -> None:
    print(json.dumps(values), flush=True)


def play(config: dict[str, Any]) -> None:
    """Play ``seconds`` of ``source`` from ``part`` on ``device`` (keys of ``config``).

    They begin at ``from`` seconds of the part, or are the last ones.
    """
    source, seconds, begin = config["source"], float(config["seconds"]), config["from"]
    track, part = "channels" if source else "main", Path(config["part"])
    if begin is None:
        data = latest_media(part, track, seconds, float(config["file_seconds"]))
        runs = iter([] if data is None else [data])
    else:
        runs = media_from(part, track, float(begin), seconds)
    pieces = [piece for data in runs for piece in latest_audio(data, seconds, source, begin)]
    if not pieces:
        _report(empty=True)
        return
    samples = np.concatenate(pieces)
    with Headset(str(config["device"])) as headset:
        _report(playing=round(len(samples) / RATE, 1))
        headset.play(samples)
        time.sleep(headset.latency_s)


def main() -> None:
    """Play at a lower priority than the recording, and exit."""
    die_with_parent(int(sys.argv[2]))
    lower_priority(5)
    try:
        play(json.loads(sys.argv[1]))
    except HeadsetAbsentError as error:
        _report(absent=str(error))
    except (OSError, FFmpegError) as error:
        _report(failed=repr(error))
    sys.stdout.flush()
    os._exit(0)  # closing a headset that is gone may hang


if __name__ == "__main__":
    main()
