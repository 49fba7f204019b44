"""``channels``: each source's own samples, lossless, as a multi-track FLAC fragmented MP4.

Nothing is resampled or made up: a hole stays a hole, and every fragment states the position of each
track on the recording clock (``tfdt`` and ``prft``).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from kiosk.clocks import NS_PER_S
from kiosk.hardware.audio.block import AudioBlock, Samples
from kiosk.recording.capture.interruptions import AUDIO_GAP_NS
from kiosk.recording.capture.part_config import PartTimes
from kiosk.recording.capture.track_writer import Fragment, TrackWriter
from kiosk.recording.formats.codecs import FlacCodec, FlacEncoder
from kiosk.recording.formats.fmp4 import Sample, TrackRun, flac_track, fragment, init_segment

FIRST_FRAGMENT_NS = NS_PER_S // 50
"""The first fragment holds one packet of each, so that a recording is soon known to work."""
MAX_AUDIO_WAIT_NS = 500_000_000
_HOLE_NS = 5_000_000
_END_OF_TIME_NS = 1 << 62


@dataclass(frozen=True)
class _Packet:
    start_ns: int
    frames: int
    data: bytes


class _Channel:
    """Encoder of one source: samples in, packets with their times out."""

    def __init__(self, number: int, name: str, rate: int, codec: FlacCodec) -> None:
        self.number, self.name, self.rate = number, name, rate
        self.packets: deque[_Packet] = deque()
        self.samples = 0  # in fragments
        self.end_ns = 0  # after the last packet that was written
        self.next_ticks = 0  # where the next packet may begin in the file
        self._codec, self.stream_info = codec, codec.stream_info
        self._encoder = FlacEncoder(codec)
        self._epoch: int | None = None
        self._expected_index = 0  # of the next sample
        self._pending: list[Samples] = []
        self._pending_samples = 0  # samples in it
        self._pending_ns = 0

    @property
    def available_until_ns(self) -> int:
        """Recording time up to which there are packets."""
        last = self.packets[-1] if self.packets else None
        return last.start_ns + self._duration_ns(last.frames) if last else self.end_ns

    def _duration_ns(self, frames: int) -> int:
        return frames * NS_PER_S // self.rate

    def push(self, block: AudioBlock) -> None:
        """Add a block."""
        if block.epoch != self._epoch or block.index != self._expected_index:
            self.flush()
            self._epoch = block.epoch
        if not self._pending_samples:
            self._pending_ns = block.start_ns
        waiting = self._pending_samples
        self._pending.append(block.samples)
        self._pending_samples += len(block.samples)
        self._expected_index = block.index + len(block.samples)
        size = self._codec.frame_samples
        if self._pending_samples < size:
            return
        samples = np.concatenate(self._pending)
        done = 0
        while len(samples) - done >= size:
            self._encode(samples[done : done + size])
            done += size
            # the next frame begins in this block, whose time is known
            self._pending_ns = block.start_ns + self._duration_ns(done - waiting)
        self._pending, self._pending_samples = [samples[done:]], len(samples) - done

    def _encode(self, samples: Samples) -> None:
        data = self._encoder.encode(samples)
        self.packets.append(_Packet(self._pending_ns, len(samples), data))

    def flush(self) -> None:
        """Encode what is left; the next block starts a new run of samples."""
        if self._pending_samples:
            self._encode(np.concatenate(self._pending))
            self._encoder = FlacEncoder(self._codec)
        self._pending, self._pending_samples = [], 0

    def long_holes(self, start_ns: int, until_ns: int) -> Iterator[tuple[int, bool]]:
        """Yield the edges of the long holes before ``until_ns``, and whether it is a beginning.

        Args:
            start_ns: of the part.
        """
        end_ns = self.end_ns or start_ns
        for packet in self.packets:
            if packet.start_ns >= until_ns:
                break
            if packet.start_ns - end_ns > AUDIO_GAP_NS:
                yield from ((end_ns, True), (packet.start_ns, False))
            end_ns = packet.start_ns + self._duration_ns(packet.frames)
        if until_ns - end_ns > AUDIO_GAP_NS:
            yield (end_ns, True)

    def pop_until(self, until_ns: int, *, whole: bool) -> list[_Packet]:
        """Remove and return the packets that begin, or with ``whole`` end, before ``until_ns``."""
        packets = []
        while self.packets:
            first = self.packets[0]
            last_ns = first.start_ns + (self._duration_ns(first.frames) - _HOLE_NS) * whole
            if last_ns >= until_ns:
                break
            packets.append(self.packets.popleft())
        return packets


class ChannelsTrack:
    """Turns samples into fragments and files.

    Args:
        writer: writes them.
        times: start of the part; lengths of fragments and files.
        rates: sample rate of each microphone, by name, in the order of the tracks.
    """

    def __init__(self, writer: TrackWriter, times: PartTimes, rates: dict[str, int]) -> None:
        self._writer = writer
        self._times, self._start_ns = times, times.start_ns
        codecs = {rate: FlacCodec(rate) for rate in set(rates.values())}
        self._channels = {
            name: _Channel(number, name, rate, codecs[rate])
            for number, (name, rate) in enumerate(rates.items(), 1)
        }
        self._sequence = 0
        self._from_ns = self._file_from_ns = times.start_ns
        self._is_running = False

    @property
    def samples(self) -> dict[str, int]:
        """Samples in fragments so far, by microphone; a fragment that is lost does not count."""
        return {name: channel.samples for name, channel in self._channels.items()}

    def add_audio(self, name: str, block: AudioBlock) -> None:
        """Add a block of microphone ``name``."""
        self._channels[name].push(block)

    def write_complete(self, now_ns: int, live_sources: frozenset[str]) -> None:
        """Write every fragment that is complete at ``now_ns``."""
        while True:
            first = self._from_ns == self._start_ns
            until = self._from_ns + (FIRST_FRAGMENT_NS if first else self._times.fragment_ns)
            if now_ns < until:
                return
            covered = all(self._channels[name].available_until_ns >= until for name in live_sources)
            if not covered and now_ns - until < MAX_AUDIO_WAIT_NS:
                return
            self._write_fragment(until)
            if until - self._file_from_ns >= self._times.file_ns:
                self._file_from_ns = until
                self._writer.rotate()

    def finish(self) -> None:
        """Write the rest, also what a corrected clock has put after the last packet."""
        try:
            for channel in self._channels.values():
                channel.flush()
        finally:
            self._write_fragment(_END_OF_TIME_NS)
            self._writer.rotate()

    def _write_fragment(self, until_ns: int) -> None:
        """Write the packets that begin before ``until_ns``; no fragment spans a hole that is told.

        Only so the records of encrypted fragments tell when a source was away.
        """
        self._from_ns = until_ns
        channels = self._channels.values()
        last_ns = min(until_ns, max((one.available_until_ns for one in channels), default=until_ns))
        for moment_ns, is_begin in sorted(
            {edge for one in channels for edge in one.long_holes(self._start_ns, last_ns)}
        ):
            self._write_packets(moment_ns, whole=is_begin)
        self._write_packets(until_ns)

    def _write_packets(self, until_ns: int, *, whole: bool = False) -> None:
        runs, begins, ends, counts = [], [], [], {}
        for channel in self._channels.values():
            packets = channel.pop_until(until_ns, whole=whole)
            if packets:
                begin, run = self._build_run(channel, packets)
                runs.append(run)
                begins.append(begin)
                ends.append(channel.end_ns)
                counts[channel.name] = sum(packet.frames for packet in packets)
        if runs:
            self._start_run_once()
            self._sequence += 1
            data = fragment(self._sequence, runs)
            piece = Fragment(data, min(begins), max(ends), tuple(sorted(counts)))
            if self._writer.append(piece):
                for name, count in counts.items():
                    self._channels[name].samples += count

    def _start_run_once(self) -> None:
        """Start the run with its first fragment: a part that never starts leaves no file."""
        if self._is_running:
            return
        self._is_running = True
        headers = [
            flac_track(channel.number, channel.name, channel.rate, channel.stream_info)
            for channel in self._channels.values()
        ]
        self._writer.start_run(init_segment(headers), self._start_ns)

    def _build_run(self, channel: _Channel, packets: list[_Packet]) -> tuple[int, TrackRun]:
        """Return the packets' start and the run of samples; a hole lengthens the sample before.

        The start is the packets' own, also when it is a little before the end of those before: a
        run that was moved to that end would stay late, and later with each second. It is moved
        only behind the beginning of the packet before: players drop what begins earlier.
        """
        rate = channel.rate
        own = ((packets[0].start_ns - self._start_ns) * rate + NS_PER_S // 2) // NS_PER_S
        ticks = max(own, channel.next_ticks)
        begin = packets[0].start_ns + (ticks - own) * NS_PER_S // rate
        channel.end_ns = begin
        samples: list[Sample] = []
        for number, packet in enumerate(packets):
            duration = packet.frames
            channel.end_ns += packet.frames * NS_PER_S // rate
            if number + 1 < len(packets):
                hole_ns = packets[number + 1].start_ns - channel.end_ns
                if hole_ns > _HOLE_NS:
                    duration += hole_ns * rate // NS_PER_S
                    channel.end_ns += hole_ns
            samples.append(Sample(packet.data, duration))
        channel.next_ticks = ticks + sum(sample.duration for sample in samples[:-1]) + 1
        at_ns = begin - self._start_ns
        return begin, TrackRun(channel.number, ticks, samples, self._times.wall_ns + at_ns)
