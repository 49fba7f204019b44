"""Devices of a courtroom in virtual time: microphones, a camera, disks. Each fails when told to.

The recorder's own classes run on them. Only what lies behind a driver's process and below a
storage's operations is simulated: a sound card whose every sample can be known again, an encoder,
and a disk that stalls, is full, fails, is read-only or gone.
"""

from __future__ import annotations

import errno
import json
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Literal, Protocol

import av
import numpy as np
from numpy.typing import NDArray

from kiosk.hardware.camera.packet import VideoPacket, pack_video
from kiosk.hardware.child_process.protocol import AUDIO, STATUS, VIDEO, pack_audio
from kiosk.recording.formats.age_tar import MemberMetadata
from kiosk.storage.volume import StorageVolume
from kiosk.storage.volume_marker import VolumeRole
from tests.support.virtual_time import NS_PER_S, START_NS, WALL_START_S, World

RATE: Literal[16000] = 16_000
BLOCK = RATE // 50
FPS = 10
PERIOD_NS = NS_PER_S // FPS
SIZE = (320, 180)
MESSAGE_S = 0.1
POLL_S = 0.05
START_S = 0.3
"""A driver's process takes this long to begin."""
NTP_EPOCH_S = 2_208_988_800
Samples = NDArray[np.int16]
Message = tuple[int, bytes]


# -- what the microphones hear and the camera sees ------------------------------------------------
@lru_cache
def _noise(seed: int) -> Samples:
    """Return six seconds of noise in which every place can be known again."""
    return np.random.default_rng(seed).integers(-6000, 6000, 100_003).astype(np.int16)


def sound(seed: int, first: int, count: int) -> Samples:
    """Return the samples of microphone ``seed`` from number ``first`` (of the world's clock) on."""
    table = _noise(seed)
    return table[np.arange(first, first + count) % len(table)]


@lru_cache
def coded_second() -> tuple[bytes, ...]:
    """Return a second of coded pictures that change; the first is a key picture."""
    codec: Any = av.CodecContext.create("libx264", "w")
    codec.width, codec.height, codec.pix_fmt = *SIZE, "yuv420p"
    codec.framerate, codec.time_base, codec.gop_size = Fraction(FPS), Fraction(1, FPS), FPS
    codec.options = {"preset": "ultrafast", "tune": "zerolatency"}
    packets = []
    for number in range(FPS):
        picture = np.full((SIZE[1] * 3 // 2, SIZE[0]), 128, np.uint8)
        picture[: SIZE[1], : 30 * (number + 1)] = 200
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.pts = number
        packets += [bytes(packet) for packet in codec.encode(frame)]
    assert len(packets) == FPS
    return tuple(packets)


# -- devices ---------------------------------------------------------------------------------------
class SimulatedDevice(Protocol):
    """What a driver's process talks to."""

    is_plugged: bool
    is_frozen: bool
    kills: int

    def open(self) -> None: ...
    def messages(self) -> list[Message]: ...
    def command(self, values: Mapping[str, Any]) -> None: ...


class SimulatedMicrophone:
    """A sound card of one channel; its sample numbers are those of the world's clock."""

    def __init__(self, world: World, seed: int) -> None:
        self.is_plugged, self.is_frozen, self.kills = True, False, 0
        self.seed = seed
        self._world = world
        self._next = 0

    def _now(self) -> int:
        return (self._world.now_ns - START_NS) * RATE // NS_PER_S

    def open(self) -> None:
        """Begin with the next block."""
        self._next = -(-self._now() // BLOCK) * BLOCK

    def command(self, values: Mapping[str, Any]) -> None:
        """Take no commands."""

    def messages(self) -> list[Message]:
        """Return what was captured since the last call."""
        blocks = []
        while self._next + BLOCK <= self._now():
            end_ns = START_NS + (self._next + BLOCK) * NS_PER_S // RATE
            blocks.append((end_ns, sound(self.seed, self._next, BLOCK).tobytes()))
            self._next += BLOCK
        return [(AUDIO, pack_audio(1, blocks))] if blocks else []


class SimulatedCamera:
    """A camera with its encoder, whose first picture is a key picture."""

    def __init__(self, world: World) -> None:
        self.is_plugged, self.is_frozen, self.kills = True, False, 0
        self.is_encoder_dead = False
        self._world = world
        self._session = self._place = self._frames = 0
        self._next_ns = self._status_ns = 0

    def open(self) -> None:
        """Begin without encoding."""
        self._session = self._frames = 0
        self._next_ns = self._align(self._world.now_ns)
        self.is_encoder_dead = False

    @staticmethod
    def _align(at_ns: int) -> int:
        return -(-at_ns // PERIOD_NS) * PERIOD_NS

    def command(self, values: Mapping[str, Any]) -> None:
        """Encode from the next picture on, or stop."""
        self._take_pictures()
        if "encode" in values:
            self._session, self._place = int(values["encode"]), 0

    def _take_pictures(self) -> list[Message]:
        found = []
        while self._next_ns + PERIOD_NS // 4 <= self._world.now_ns:
            self._frames += 1
            if self._session and not self.is_encoder_dead:
                key = self._place == 0
                data = coded_second()[self._place]
                packet = VideoPacket(self._next_ns, self._session, key, data)
                found.append((VIDEO, pack_video(packet)))
                self._place = (self._place + 1) % FPS
            self._next_ns += PERIOD_NS
        return found

    def messages(self) -> list[Message]:
        """Return pictures and, now and then, how many there were."""
        found = self._take_pictures()
        if self._world.now_ns >= self._status_ns:
            self._status_ns = self._world.now_ns + NS_PER_S // 5
            counts = {"frames": self._frames, "changes": self._frames}
            found.append((STATUS, json.dumps(counts).encode()))
        return found


class SimulatedChild:
    """In place of :class:`ProcessSupervisor`: the driver's process of a simulated device."""

    pid = None

    def __init__(
        self,
        world: World,
        devices: Mapping[str, SimulatedDevice],
        name: str,
        _module: str,
        _config: Mapping[str, Any],
        on_message: Callable[[int, bytes], None],
        find_problem: Callable[[], str | None],
        on_start: Callable[[int], None] = lambda _session: None,
        on_stop: Callable[[str], None] = lambda _reason: None,
    ) -> None:
        self._world, self._device, self._name = world, devices[name], name
        self._on_message, self._find_problem = on_message, find_problem
        self._on_start, self._on_stop = on_start, on_stop
        self._is_closing = self._is_open = False
        self._commands: list[Mapping[str, Any]] = []
        self._thread = world.threading.Thread(target=self._run, name=name)

    def start(self) -> None:
        """Start the process."""
        self._thread.start()

    def close(self, timeout: float = 3.0) -> None:
        """End it."""
        self._is_closing = True
        self._thread.join(timeout)

    def send_command(self, **values: object) -> bool:
        """Send a command; return False if there is no process."""
        if not self._is_open:
            return False
        self._commands.append(values)
        return True

    def _run(self) -> None:
        session = 0
        while not self._is_closing:
            session += 1
            self._on_start(session)
            reason = self._run_child()
            self._is_open = False
            if not self._is_closing:
                self._on_stop(reason)
                self._world.sleep(0.25)

    def _run_child(self) -> str:
        device = self._device
        kills = device.kills
        device.is_frozen = False
        self._world.sleep(START_S)
        while not device.is_plugged:
            self._on_message(STATUS, b'{"absent": true}')
            for _ in range(10):
                self._world.sleep(MESSAGE_S)
                if self._is_closing or device.kills != kills:
                    return "has ended"
        device.open()
        self._is_open = True
        self._commands.clear()
        facts = {
            "library": "sim",
            "version": "1",
            "back_end": "sim",
            "real_time": True,
            "opened": {"name": self._name},
        }
        self._on_message(STATUS, json.dumps(facts).encode())
        return self._pass_messages(device, kills)

    def _pass_messages(self, device: SimulatedDevice, kills: int) -> str:
        """Pass on commands and messages until the process ends; return why."""
        while True:
            self._world.sleep(MESSAGE_S)
            if self._is_closing:
                return "is closed"
            if device.kills != kills or not device.is_plugged:
                return "has ended"
            if not device.is_frozen:
                commands, self._commands = self._commands, []
                for values in commands:
                    device.command(values)
                for kind, payload in device.messages():
                    self._on_message(kind, payload)
            if problem := self._find_problem():
                return problem


# -- disks -----------------------------------------------------------------------------------------
@dataclass(frozen=True)
class WrittenMedia:
    """Media that reached a disk: when, where, in which form, and when they were captured."""

    at_ns: int
    hearing: str
    track: str
    is_plain: bool
    begin_ns: int


_MEDIA = re.compile(r"hearings/([^/]+)/part-\d+/(main|channels)/run-\d+/\d+(?:-open)?\.(m4s|tar)")


_MEMBER = re.compile(rb'"end_ns":(\d+),[^}]*"start_ns":(\d+)')
_REFERENCE = re.compile(rb"\0\0\0 prft.{8}(.{8})", re.DOTALL)


@dataclass
class SimulatedDisk:
    """A disk, which outlives the recorder.

    Attributes:
        state: ``ok``, ``stalled``, ``full``, ``failing``, ``read_only`` or ``gone``.
        written: the media that reached it.
    """

    world: World
    state: str = "ok"
    written: list[WrittenMedia] = field(default_factory=list)

    def operate(self, *, grows: bool = False, writes: bool = True) -> None:
        """Take the time of an operation, or refuse it."""
        self.world.sleep(0.001)
        while self.state == "stalled":
            self.world.sleep(POLL_S)
        number = {
            "gone": errno.ENODEV,
            "failing": errno.EIO,
            "read_only": errno.EROFS if writes else 0,
            "full": errno.ENOSPC if grows else 0,
        }.get(self.state, 0)
        if number:
            raise OSError(number, f"the disk is {self.state}")

    def note(self, relative: str, data: bytes) -> None:
        """Remember which media were written; the rest of a fragment belongs to its beginning."""
        is_plain, is_member = data[4:8] == b"prft", data[257:262] == b"ustar"
        if (match := _MEDIA.fullmatch(relative)) and (is_plain or is_member):
            begin_ns = _plain_begin(data) if is_plain else MemberMetadata.from_member(data).start_ns
            self.written.append(
                WrittenMedia(self.world.now_ns, match[1], match[2], is_plain, begin_ns)
            )


def media_begins(data: bytes) -> set[int]:
    """Return the recording clock of the first samples in all fragments within ``data``."""
    members = {int(begin) for end, begin in _MEMBER.findall(data) if begin != end}
    return members.union(map(_reference_ns, _REFERENCE.findall(data)))


def _plain_begin(data: bytes) -> int:
    """Return the recording clock of the first sample in a fragment, by its reference times."""
    return min(map(_reference_ns, _REFERENCE.findall(data.partition(b"moof")[0])))


def _reference_ns(time: bytes) -> int:
    """Return the recording clock of a 64-bit NTP time."""
    seconds, rest = struct.unpack(">II", time)
    wall_ns = (seconds - NTP_EPOCH_S) * NS_PER_S + (rest * NS_PER_S >> 32)
    return int(wall_ns - WALL_START_S * NS_PER_S + START_NS)


class SimulatedVolume(StorageVolume):
    """A storage on a simulated disk."""

    def __init__(self, disk: SimulatedDisk, root: Path, kiosk_id: str, role: VolumeRole) -> None:
        super().__init__(root, kiosk_id, role)
        self._disk = disk

    def identity(self, root: Path | None = None) -> tuple[str, str]:
        """See the base class."""
        while self._disk.state == "stalled":
            self._disk.world.sleep(POLL_S)
        if self._disk.state == "gone":
            return "absent", ""
        state, uuid = super().identity(root)
        return ("read_only" if self._disk.state == "read_only" else state), uuid

    def space(self) -> tuple[int, int]:
        """See the base class."""
        self._disk.operate(writes=False)
        return (0 if self._disk.state == "full" else 900 << 30), 1000 << 30

    def append(self, relative: str, offset: int, data: bytes) -> None:
        """See the base class."""
        self._disk.operate(grows=bool(data))
        super().append(relative, offset, data)
        self._disk.note(relative, data)
        self._disk.world.sleep(0.001)  # written, and nobody knows it yet

    def patch(self, relative: str, offset: int, data: bytes) -> None:
        """See the base class."""
        self._disk.operate()
        super().patch(relative, offset, data)

    def write_file(self, relative: str, data: bytes) -> None:
        """See the base class."""
        self._disk.operate(grows=True)
        super().write_file(relative, data)
        self._disk.world.sleep(0.001)

    def make_folder(self, relative: str) -> None:
        """See the base class."""
        self._disk.operate(grows=True)
        super().make_folder(relative)

    def wipe(self, relative: str, offset: int, length: int | None) -> None:
        """See the base class."""
        self._disk.operate()
        super().wipe(relative, offset, length)

    def remove_files(self, relatives: tuple[str, ...]) -> None:
        """See the base class."""
        self._disk.operate()
        super().remove_files(relatives)

    def read(self, relative: str, offset: int, length: int) -> bytes:
        """See the base class."""
        self._disk.operate(writes=False)
        return super().read(relative, offset, length)


def volume_maker(
    disks: Mapping[VolumeRole, SimulatedDisk],
) -> Callable[[Path, str, VolumeRole], SimulatedVolume]:
    """Return what stands in for the class of a storage."""
    return lambda root, kiosk, role: SimulatedVolume(disks[role], root, kiosk, role)


def child_maker(world: World, devices: Mapping[str, SimulatedDevice]) -> Callable[..., Any]:
    """Return what stands in for the class that supervises a driver's process."""
    return partial(SimulatedChild, world, devices)
