"""Settings as typed, frozen groups: what ``kiosk.toml`` and the room profile may say.

A wrong key or value raises an error that names it and what is allowed. There are no globals: each
process loads :class:`Settings` once (:mod:`kiosk.settings_files`) and hands it down.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from kiosk.api.camera import CameraPicture
from kiosk.device_address import FORMS, DeviceAddress, check_device_address, parse_device_address
from kiosk.settings_lines import Contradiction, ContradictionError

MAX_MICROPHONES = 8
RESERVED_NAMES = frozenset(
    {"camera", "video", "mix", "storage", "space", "mirror", "recorder", "sound", "clock", "panel"}
    | {"court_keys", "headset", "machine"}
)
"""Other sources of State, ledger and readiness: no microphone may have their names."""


def _check_zone(name: str) -> str:
    """Return ``name``; raise ValueError if the IANA database has no such time zone."""
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        raise ValueError("there is no such time zone; one is Asia/Almaty") from None
    return name


def _check_room(name: str) -> str:
    """Return ``name``; raise ValueError if a screen or a receipt cannot show it in a line."""
    signs = {unicodedata.category(letter) for letter in name}
    if not name.strip() or signs & {"Cc", "Cf", "Cs", "Zl", "Zp"}:
        raise ValueError("must be visible, without line ends and signs that only steer")
    return name


def _check_source_name(name: str) -> str:
    """Return ``name``; raise ValueError if another source has it."""
    if name in RESERVED_NAMES:
        raise ValueError("is the name of another source; choose another")
    return name


def _check_output(name: str) -> str:
    """Return ``name``; raise ValueError if it has a card's number, or is no address of a card."""
    if name.startswith(tuple(f"{kind}:" for kind in FORMS)):
        return check_device_address(name)
    if re.search(r"hw:\d", name):
        raise ValueError("the number of a card changes; write plughw:CARD=ID (`aplay -L`)")
    return name


SoundDevice = Annotated[str, AfterValidator(check_device_address)]
OptionalSoundDevice = Annotated[
    str, AfterValidator(lambda text: check_device_address(text) if text else text)
]
AlsaOutput = Annotated[str, AfterValidator(_check_output)]


class SettingsGroup(BaseModel):
    """A table of ``kiosk.toml``: frozen; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class KioskSettings(SettingsGroup):
    """``[kiosk]``: id and place of this kiosk.

    ``time_servers``: names or addresses of NTP servers; none: those of the operating system.
    """

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,62}$")] = "kiosk-0001"
    court: dict[Literal["kk", "ru", "en"], str] = {"kk": "Сот", "ru": "Суд", "en": "Court"}
    room: Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_check_room)] = "1"
    language: Literal["kk", "ru", "en"] = "kk"
    timezone: Annotated[str, AfterValidator(_check_zone)] = "Asia/Almaty"
    time_servers: tuple[
        Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.:-]{0,252}$")], ...
    ] = ()


class PathSettings(SettingsGroup):
    """``[paths]``: folders of the kiosk. ``mirror`` is a second storage (USB).

    ``volatile_data_ok`` is for test benches: no alarm when ``data`` is gone at power-off.
    """

    data: Path = Path("/var/lib/kiosk")
    run: Path = Path("/run/kiosk")
    mirror: Path | None = None
    volatile_data_ok: bool = False


class CameraPictureSettings(CameraPicture, SettingsGroup):
    """``[camera.picture]``: how the camera takes its picture; a technician's screen shows it.

    ``focus``: ``auto`` all the time, ``once`` when it opens and on a technician's tap, or ``fixed``
    at ``focus_dioptres`` (one divided by the distance in metres; 0: infinity). ``flicker_hz``: of
    the mains, 0 for daylight alone. ``mirror``: left and right exchanged. ``exposure``: ``auto``,
    ``short`` (automatic, less blur of what moves, more noise), or ``fixed`` at ``exposure_ms`` and
    ``gain``; ``brightness_ev`` shifts the automatic one. ``zoom`` shows a part of the view, around
    ``centre_x`` and ``centre_y`` (0 to 1 from top left). What a camera cannot do, as most web cams
    focus, is left out and said so.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")


class CameraSettings(SettingsGroup):
    """``[camera]``. ``auto`` uses picamera2 if it is installed and finds a camera.

    ``id``: the camera as ``rpicam-hello --list-cameras`` shows it in brackets, which names its
    socket; empty: the first one. Name it where there is a second camera, as above the desk.
    """

    id: Annotated[str, Field(max_length=300)] = ""
    back_end: Literal["auto", "picamera2", "virtual", "none"] = "auto"
    width: Annotated[int, Field(ge=320, le=1920, multiple_of=2)] = 1280
    height: Annotated[int, Field(ge=180, le=1080, multiple_of=2)] = 720
    fps: Annotated[int, Field(ge=5, le=30)] = 25
    bitrate: Annotated[int, Field(ge=200_000, le=10_000_000)] = 2_000_000
    keyframe_seconds: Annotated[float, Field(ge=0.5, le=4)] = 2.0
    preview_fps: Annotated[int, Field(ge=1, le=25)] = 10
    virtual_scene: Literal["courtroom", "flash"] | Path = "courtroom"
    picture: CameraPictureSettings = CameraPictureSettings()


class MicrophoneSettings(SettingsGroup):
    """``[[microphones]]``: one audio channel of one device.

    ``device`` is ``usb:PLACE``, ``serial:NUMBER``, ``id:CARD`` or the exact name of a device
    (``kiosk devices`` lists them); one that fits two devices opens none. ``channel`` counts from 0.
    ``role`` is a role id of the rules data, ``spare``, or ``remote`` (line-out of a conference set:
    if it is digitally silent for ``silence_seconds``, its link is lost). ``noise_gate``: it gives
    digital silence while nobody speaks, so it counts as muted after ten seconds, not half a one.
    """

    name: Annotated[
        str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,30}$"), AfterValidator(_check_source_name)
    ]
    role: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
    device: SoundDevice
    channel: Annotated[int, Field(ge=0, le=7)] = 0
    rate: Literal[16000, 32000, 44100, 48000] = 48000
    silence_seconds: Annotated[float, Field(ge=1, le=3600)] = 30
    noise_gate: bool = False


class OverheadCameraSettings(SettingsGroup):
    """``[scanner.overhead]``: a document camera above the desk, with ``kind = "overhead"``.

    ``camera``: libcamera's number (the hearing's camera is 0). ``view_mm``: width of the desk in
    the picture, 0 if unknown; without it, A5 counts as A4. ``paper``: format of the paper; ``auto``
    detects it by its shape. ``pictures``: folder that ``virtual`` plays.
    """

    back_end: Literal["picamera2", "virtual"] = "picamera2"
    camera: Annotated[int, Field(ge=0, le=7)] = 1
    pictures: Path | None = None
    paper: Literal["auto", "a4", "a5", "letter"] = "auto"
    view_mm: Annotated[int, Field(ge=0, le=2000)] = 0
    still_seconds: Annotated[float, Field(ge=0.2, le=5)] = 1.0


class ScannerSettings(SettingsGroup):
    """``[scanner]``: ``device`` is the SANE device name (there is no discovery: it takes seconds).

    ``kind``: ``sane``, or ``overhead`` for a document camera, which needs no ``device``.
    ``reload_seconds``: how long to wait for a jammed sheet before scanning continues without it.
    """

    kind: Literal["sane", "overhead"] = "sane"
    overhead: OverheadCameraSettings = OverheadCameraSettings()
    device: str = ""
    sane_config_dir: Path | None = None
    resolution: Literal[150, 200, 300, 400, 600] = 300
    colour: Literal["gray", "colour"] = "colour"
    stall_seconds: Annotated[float, Field(ge=1, le=120)] = 25
    reload_seconds: Annotated[float, Field(ge=0, le=300)] = 15

    @property
    def fitted(self) -> bool:
        """Whether a scanner of any kind is configured."""
        return self.kind == "overhead" or bool(self.device)


class SerialPortSettings(SettingsGroup):
    """``[badge]``: a serial line, or the event device of a reader that is a USB keyboard.

    An empty port means that there is none.
    """

    port: str = ""
    baud: Literal[9600, 19200, 38400, 57600, 115200] = 9600


class PrinterSettings(SerialPortSettings):
    """``[printer]``: ESC/POS receipt printer.

    ``port``: a serial line, a USB printer (``/dev/usb/lp0``), or ``host:port`` in the network.
    ``width_dots`` is 576 on 80 mm paper. ``answers``: whether it tells its state; false for one
    that cannot, of which nobody then knows whether it prints.
    """

    width_dots: Literal[384, 512, 576] = 576
    answers: bool = True

    @property
    def address(self) -> tuple[str, int] | None:
        """Host and TCP port of a printer in the network; None: it is a device of this kiosk."""
        host, colon, port = self.port.rpartition(":")
        if "/" in self.port or not colon:
            return None
        return host.strip("[]"), int(port)

    @field_validator("port")
    @classmethod
    def _require_path_or_address(cls, port: str) -> str:
        found = re.fullmatch(r"/.+|[^/\s]+:(\d{1,5})", port)
        if port and not (found and int(found[1] or 1) in range(1, 1 << 16)):
            raise ValueError("neither the path of a device nor host:port")
        return port


class VoiceSettings(SettingsGroup):
    """``[voice]``: spoken prompts. ``headphones`` and ``loudspeaker``: ALSA devices (empty: none).

    They may be named as a microphone's device, too (``usb:1-1.3``). ``recorded``: folder of
    ``<language>/<screen>.wav`` files, which replace espeak-ng.
    """

    enabled: bool = True
    headphones: AlsaOutput = ""
    loudspeaker: AlsaOutput = ""
    volume: Annotated[int, Field(ge=0, le=100)] = 70
    words_a_minute: Annotated[int, Field(ge=80, le=300)] = 150
    recorded: Path | None = None


Pin = Annotated[int, Field(ge=2, le=27)]


class MuteSettings(SettingsGroup):
    """``[[panel.mutes]]``: switch of a seat, which silences its microphone while it is closed."""

    pin: Pin
    microphone: str


class PanelSettings(SettingsGroup):
    """``[panel]``: recording lamp, buttons and switches as BCM pin numbers.

    ``call_pin``: button that calls the secretary; 0: there is none.
    """

    enabled: bool = True
    lamp_pin: Pin = 17
    button_pin: Pin = 27
    call_pin: Annotated[int, Field(ge=0, le=27)] = 0
    mutes: tuple[MuteSettings, ...] = ()

    @property
    def pins(self) -> dict[tuple[str | int, ...], int]:
        """The pins that are used, by the keys of their settings."""
        found: dict[tuple[str | int, ...], int] = {("lamp_pin",): self.lamp_pin}
        found["button_pin",] = self.button_pin
        if self.call_pin:
            found["call_pin",] = self.call_pin
        return found | {("mutes", n, "pin"): row.pin for n, row in enumerate(self.mutes)}


class HeadsetSettings(SettingsGroup):
    """``[headset]``: output to listen to the last minutes, named as a microphone's device.

    It is never the room's loudspeaker; empty: there is none.
    """

    device: OptionalSoundDevice = ""


class HearingSettings(SettingsGroup):
    """``[hearing]``."""

    remind_minutes: Annotated[float, Field(ge=0.01, le=600)] = 15
    """Minutes of recess or retirement after which a reminder is repeated."""
    remind_before_minutes: Annotated[float, Field(ge=0, le=120)] = 10
    """Minutes before a hearing at which the screen reminds of it (0: never)."""
    remind_aloud: bool = False
    """Whether the loudspeaker of ``[voice]`` says so, too, after a gong."""
    remind_forgotten_start: bool = True
    """Whether it is said that people speak at the hour of a hearing that nobody has started."""
    remind_missing_minutes: Annotated[float, Field(ge=0, le=120)] = 5
    """Minutes after the start at which it is said who was not noted as come (0: never)."""
    kept_minute: Annotated[int, Field(ge=0, le=60)] = 0
    """Seconds of sound before a hearing that is due, in locked memory until a tap (0: none)."""


class MorningCheckSettings(SettingsGroup):
    """``[morning_check]``: ``at`` (``HH:MM``, empty: never): from then on, outside hearings.

    Each microphone is compared with its noise at commissioning, and, with ``sweep``, with what it
    heard of a sweep through ``[voice] loudspeaker`` at it. If the kiosk was off, it checks after
    its start.
    """

    at: Annotated[str, Field(pattern=r"^(([01]\d|2[0-3]):[0-5]\d)?$")] = ""
    sweep: bool = True


class RecordingSettings(SettingsGroup):
    """``[recording]``. ``encrypt``: parts that only the court can open: closed ones, or all."""

    fragment_ms: Annotated[int, Field(ge=100, le=500)] = 300
    file_seconds: Annotated[int, Field(ge=10, le=600)] = 60
    mix_bitrate: Annotated[int, Field(ge=32_000, le=256_000)] = 96_000
    planned_minutes: Annotated[int, Field(ge=5, le=1440)] = 120
    low_space_hours: Annotated[float, Field(ge=0, le=48)] = 4.0
    encrypt: Literal["closed", "all"] = "closed"
    keep_delivered_days: Annotated[int, Field(ge=0, le=3650)] = 30
    timestamp_url: Annotated[str, Field(pattern=r"^(https?://.+)?$")] = ""


class ExportSettings(SettingsGroup):
    """``[export]``: copies for the parties. ``media``: folders in which drives are mounted.

    ``people_roots``: roots (PEM) of the authority that issues keys to people: the secretary's
    signature over the minutes is checked with them when it comes back on a drive.
    """

    media: tuple[Path, ...] = (Path("/media/kiosk"),)
    people_roots: Path | None = None


class FilingSettings(SettingsGroup):
    """``[filing]``: ``office`` is the place for paper originals, by language (empty: not shown).

    ``payment_text`` is the content of the QR code beside the state fee: plain text, no payment
    scheme; ``{purpose}``, ``{sum}`` and ``{court}`` are replaced.
    """

    parked_hours: Annotated[float, Field(gt=0, le=168)] = 24
    office: dict[Literal["kk", "ru", "en"], str] = {}
    payment_text: Annotated[str, Field(max_length=300)] = "{purpose}: {sum} KZT. {court}"


class CentralSettings(SettingsGroup):
    """``[central]``: the central court system. TLS files are in ``paths.data/identity``."""

    url: Annotated[str, Field(pattern=r"^https://")] = "https://central.invalid:8443"
    poll_seconds: Annotated[float, Field(ge=0.2, le=3600)] = 30
    patch_mib: Annotated[int, Field(ge=1, le=64)] = 16


class SyncSettings(SettingsGroup):
    """``[sync]``: when recordings are sent. Filings and journal heads are always sent.

    ``windows`` are times of the court's day such as ``"20:00-07:00"``; none: always. With
    ``minutes_early``, finished minutes are sent while their hearing is still running.
    """

    windows: tuple[
        Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$")],
        ...,
    ] = ()
    cap_mbit: Annotated[float, Field(ge=0, le=10_000)] = 0
    during_hearing: Literal["paced", "paused"] = "paced"
    minutes_early: bool = False
    link_check_minutes: Annotated[int, Field(ge=0, le=120)] = 10


class UiSettings(SettingsGroup):
    """``[ui]``: the touch screen. Sizes on it are computed from ``width_mm``.

    ``online_services``: addresses of services for visitors, shown as QR codes, by their id
    (``cabinet``, ``portal``, ``mobile``, ``video``; R7-R18); an empty one is not shown.
    """

    width: Annotated[int, Field(ge=480, le=3840)] = 1280
    height: Annotated[int, Field(ge=320, le=2160)] = 800
    width_mm: Annotated[float, Field(ge=80, le=1000)] = 217
    fullscreen: bool = True
    automation: bool = False
    idle_seconds: Annotated[int, Field(ge=20, le=600)] = 90
    countdown_seconds: Annotated[int, Field(ge=5, le=120)] = 20
    receipt_seconds: Annotated[int, Field(ge=90, le=600)] = 90
    staff_idle_minutes: Annotated[int, Field(ge=1, le=480)] = 60
    online_services: dict[
        Literal["cabinet", "portal", "mobile", "video"],
        Annotated[str, Field(pattern=r"^(https://[^\s]{1,200})?$")],
    ] = {}


class HallSettings(SettingsGroup):
    """``[hall]``: the display in the hall (``kiosk ui --role hall``).

    ``address`` is the recorder's view on another machine (``http://HOST:PORT``, its
    ``kiosk-hall-view.socket``); empty: the recorder of this one. The languages take turns. After
    ``stale_seconds`` without news it says so. ``notices``: ``under_sixteen`` (УПК 345(5), АПК
    19(5)), ``address_judge`` (АПК 187(2)). ``sanitary``: the court's own text by language, shown
    from ``sanitary_from`` to ``sanitary_to`` (R88, R98); empty: none. ``observer_url``: the court's
    own page where open hearings held online are watched, shown as a QR code (R55); empty: none.
    """

    address: Annotated[str, Field(pattern=r"^(https?://[^/\s]+)?$")] = ""
    languages: Annotated[tuple[Literal["kk", "ru", "en"], ...], Field(min_length=1)] = ("kk", "ru")
    language_seconds: Annotated[float, Field(ge=3, le=120)] = 10
    stale_seconds: Annotated[float, Field(ge=3, le=300)] = 10
    text_size: Annotated[int, Field(ge=1, le=4)] = 1
    notices: tuple[Literal["under_sixteen", "address_judge"], ...] = ("under_sixteen",)
    sanitary: dict[Literal["kk", "ru", "en"], str] = {}
    sanitary_from: date | None = None
    sanitary_to: date | None = None
    observer_url: Annotated[str, Field(pattern=r"^(https://[^\s/]+(/\S*)?)?$", max_length=200)] = ""


class Settings(SettingsGroup):
    """All of ``kiosk.toml``."""

    kiosk: KioskSettings = KioskSettings()
    paths: PathSettings = PathSettings()
    camera: CameraSettings = CameraSettings()
    microphones: tuple[MicrophoneSettings, ...] = ()
    scanner: ScannerSettings = ScannerSettings()
    badge: SerialPortSettings = SerialPortSettings()
    printer: PrinterSettings = PrinterSettings()
    panel: PanelSettings = PanelSettings()
    voice: VoiceSettings = VoiceSettings()
    recording: RecordingSettings = RecordingSettings()
    morning_check: MorningCheckSettings = MorningCheckSettings()
    export: ExportSettings = ExportSettings()
    hearing: HearingSettings = HearingSettings()
    headset: HeadsetSettings = HeadsetSettings()
    filing: FilingSettings = FilingSettings()
    central: CentralSettings = CentralSettings()
    sync: SyncSettings = SyncSettings()
    ui: UiSettings = UiSettings()
    hall: HallSettings = HallSettings()

    @model_validator(mode="after")
    def _check_contradictions(self) -> Settings:
        found = [*_microphone_contradictions(self.microphones), *_device_contradictions(self)]
        if found:
            raise ContradictionError(found)
        return self


def _microphone_contradictions(
    microphones: tuple[MicrophoneSettings, ...],
) -> Iterator[Contradiction]:
    """Yield what microphones cannot share: a name, a channel of a device, a device at two rates."""
    names: set[str] = set()
    channels: dict[tuple[DeviceAddress, int], str] = {}
    first_of: dict[DeviceAddress, MicrophoneSettings] = {}
    for index, row in enumerate(microphones):
        keys, address = ("microphones", index), parse_device_address(row.device)
        if row.name in names:
            yield Contradiction((*keys, "name"), "two microphones have the same name")
        if other := channels.get((address, row.channel)):
            said = f"microphone “{other}” has channel {row.channel} of it already"
            yield Contradiction((*keys, "device"), said)
        first = first_of.setdefault(address, row)
        if first.rate != row.rate:
            said = f"microphone “{first.name}” opens the same device at {first.rate}"
            yield Contradiction((*keys, "rate"), said)
        names.add(row.name)
        channels.setdefault((address, row.channel), row.name)
    if len(microphones) > MAX_MICROPHONES:
        keys = ("microphones", MAX_MICROPHONES)
        yield Contradiction((*keys, "name"), f"at most {MAX_MICROPHONES} microphones")


def minor_contradictions(settings: Settings) -> Iterator[Contradiction]:
    """Yield what costs a lamp, a reader or a printer: no reason to refuse to record."""
    panel, badge, printer = settings.panel, settings.badge, settings.printer
    if panel.enabled:
        yield from _panel_contradictions(panel, {row.name for row in settings.microphones})
    if printer.port and printer.port == badge.port:
        yield Contradiction(("printer", "port"), "is the badge reader's port, too")
    ports = [re.fullmatch(r"/dev/tty([A-Z]+)\d+", row.port) for row in (badge, printer)]
    if ports[0] and ports[1] and ports[0][0] != ports[1][0] and ports[0][1] == ports[1][1] != "S":
        said = "and the badge reader's are numbered as they are found; see /dev/serial/by-id/"
        yield Contradiction(("printer", "port"), said)


def _panel_contradictions(panel: PanelSettings, microphones: set[str]) -> Iterator[Contradiction]:
    """Yield pins that are used twice, and switches of no microphone or of one that has another."""
    owners: dict[int, tuple[str | int, ...]] = {}
    for keys, pin in panel.pins.items():
        owner = owners.setdefault(pin, keys)
        if owner != keys:
            is_lamp = owner == ("lamp_pin",)
            said = "is the lamp's pin, too" if is_lamp else "is the pin of another button, too"
            yield Contradiction(("panel", *keys), said)
    seen: set[str] = set()
    for number, row in enumerate(panel.mutes):
        keys = ("panel", "mutes", number, "microphone")
        if row.microphone not in microphones:
            yield Contradiction(keys, "is the name of no microphone")
        elif row.microphone in seen:
            yield Contradiction(keys, "has a switch already")
        seen.add(row.microphone)


def _device_contradictions(settings: Settings) -> Iterator[Contradiction]:
    """Yield what two other devices cannot share: a camera, an output, a folder."""
    voice, paths = settings.voice, settings.paths
    if voice.loudspeaker and voice.loudspeaker in (voice.headphones, settings.headset.device):
        yield Contradiction(("voice", "loudspeaker"), "is a person's headphones, too")
    if paths.mirror is not None and paths.mirror.is_relative_to(paths.data):
        yield Contradiction(("paths", "mirror"), "is no second storage: it is in paths.data")
    picture = settings.camera.picture
    if picture.exposure == "fixed" and picture.exposure_ms * settings.camera.fps > 1000:
        said = f"is longer than a picture lasts at {settings.camera.fps} pictures a second"
        yield Contradiction(("camera", "picture", "exposure_ms"), said)
    overhead = settings.scanner.overhead
    camera, is_used = settings.camera, settings.scanner.kind == "overhead"
    is_real = overhead.back_end == "picamera2" and camera.back_end in ("auto", "picamera2")
    if is_used and is_real and overhead.camera == 0 and not camera.id:
        yield Contradiction(("scanner", "overhead", "camera"), "is the hearing's camera")
