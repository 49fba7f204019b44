"""Every value that a check measures: its name, unit and words, as message ids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from kiosk.locale import N_


@dataclass(frozen=True)
class Number:
    """A number.

    Attributes:
        unit: sentence with ``{n}``.
        scale: factor from the report's unit to that of the sentence.
        is_main: shown in the list of checks.
    """

    name: str
    unit: str = "{n}"
    digits: int = 0
    scale: float = 1.0
    is_main: bool = False


@dataclass(frozen=True)
class Word:
    """A state, or yes and no (``true``, ``false``); an unknown one is shown as it is."""

    name: str
    words: Mapping[str, str]


@dataclass(frozen=True)
class Text:
    """A proper name, such as that of a device or library; it has no translation."""

    name: str


@dataclass(frozen=True)
class Time:
    """A moment, RFC 3339."""

    name: str


@dataclass(frozen=True)
class Code:
    """The code of an alarm, which has a sentence."""

    name: str


@dataclass(frozen=True)
class Person:
    """The answer of a person; it is told as that."""

    name: str


@dataclass(frozen=True)
class Sentence:
    """A sentence of the rules, by language."""

    name: str


@dataclass(frozen=True)
class Each:
    """Values of a part: of a device (key ``*``), of one side.

    Attributes:
        name: of the part; empty: the key is its name.
    """

    values: Mapping[str, Value] = field(default_factory=dict)
    name: str = ""


@dataclass(frozen=True)
class Silent:
    """A value for the report alone; ``why`` it is not shown."""

    why: str


Said = Number | Word | Text | Time | Code | Person | Sentence
Value = Said | Each | Silent

ANSWERS: Mapping[bool | None, str] = MappingProxyType(
    {
        True: N_("confirmed by a person"),
        False: N_("denied by a person"),
        None: N_("nobody answered"),
    }
)
YES_NO = MappingProxyType({"true": N_("yes"), "false": N_("no")})
MILLISECONDS, SECONDS = N_("{n} ms"), N_("{n} s")
GIGABYTES, MEGABYTES, PER_CENT = N_("{n} GB"), N_("{n} MB"), N_("{n} %")
DECIBELS, VOLTS = N_("{n} dB"), N_("{n} V")

OF_EVERY_CHECK: Mapping[str, Value] = {
    "limit_s": Number(N_("Time limit"), SECONDS),
    "error": Text(N_("Error")),
    "problem": Text(N_("Reason")),
}
"""What any check may report when it cannot measure."""

_MICROPHONE: Mapping[str, Value] = {
    "state": Word(
        N_("State"),
        {
            "ok": N_("in order"),
            "starting": N_("starting"),
            "absent": N_("not connected"),
            "refused": N_("cannot be opened"),
            "dead": N_("delivers nothing"),
            "muted": N_("muted"),
            "stuck": N_("repeats the same sound"),
            "quiet": N_("too quiet"),
            "clipping": N_("too loud"),
            "humming": N_("hums"),
        },
    ),
    "refused": Text(N_("Reason")),
    "level_db": Number(N_("Loudest"), DECIBELS, 1),
    "noise_db": Number(N_("Noise"), DECIBELS, 1),
    "speech_db": Number(N_("Speech without noise"), DECIBELS, 1),
    "heard": Word(N_("Speech heard"), YES_NO),
    "device": Text(N_("Device")),
}

CAMERA_ABILITIES: Mapping[str, str] = {
    "focus": N_("Focus"),
    "flicker": N_("Flicker of lamps"),
    "exposure": N_("Exposure"),
    "zoom": N_("Part of the view"),
    "rotation": N_("Rotation"),
    "rate": N_("Pictures a second"),
}
"""What can be set on a camera, by :data:`kiosk.hardware.camera.picture.ABILITIES`."""

_TONE: Mapping[str, Value] = {
    "rise_db": Number(N_("Tone louder than the room"), DECIBELS, 1),
    "microphone": Text(N_("Heard by the microphone")),
    "heard": Person(N_("Tone heard")),
}
TRANSMISSION_QUALITIES: Mapping[str, str] = {
    "excellent": N_("excellent"),
    "good": N_("good"),
    "fair": N_("fair"),
    "poor": N_("poor"),
    "bad": N_("bad"),
    "unheard": N_("the loudspeaker is not heard"),
    "clipped": N_("overdriven by the loudspeaker"),
}
"""Bands of the speech transmission index (IEC 60268-16), and why there is none."""
_MILLIMETRES = N_("{n} mm off")
_STORED = {
    "ok": N_("in order"),
    "behind": N_("not complete yet"),
    "slow": N_("too slow"),
    "absent": N_("not there"),
    "foreign": N_("another kiosk’s, or not adopted"),
    "full": N_("full"),
    "failed": N_("refuses to write"),
    "off": N_("not set up"),
}

MEASURED: Mapping[str, Mapping[str, Value]] = {
    "camera": {
        "fps": Number(N_("Pictures a second"), N_("{n} frames/s"), 1, is_main=True),
        "brightness": Number(N_("Brightness"), PER_CENT, scale=100 / 255),
        "contrast": Number(N_("Contrast"), PER_CENT, 1, scale=200 / 255),
        "picture": Person(N_("Sharp, upright, the whole room")),
        "change": Number(N_("Change between pictures"), PER_CENT, 2, scale=100 / 255),
        "state": Word(
            N_("State"),
            {
                "ok": N_("in order"),
                "starting": N_("starting"),
                "absent": N_("not connected"),
                "frozen": N_("delivers nothing"),
                "off": N_("not fitted"),
            },
        ),
        "restarts": Number(N_("Restarts during the test")),
        "frames": Number(N_("Pictures during the test")),
        "sharpness": Number(N_("Sharpness"), PER_CENT, 1),
        "focus": Word(
            N_("Focus"),
            {
                "idle": N_("held"),
                "scanning": N_("is being looked for"),
                "focused": N_("found"),
                "failed": N_("not found"),
            },
        ),
        "focus_dioptres": Number(N_("Lens position"), N_("{n} dioptres"), 2),
        "exposure_ms": Number(N_("Exposure"), MILLISECONDS, 1),
        "gain": Number(N_("Amplification"), N_("{n} times"), 1),
        "zoom": Number(N_("Enlargement"), N_("{n} times"), 1),
        "can": Each(
            {name: Word(label, YES_NO) for name, label in CAMERA_ABILITIES.items()},
            N_("Can be set on this camera"),
        ),
        "view": Silent("it says whether the sharpness can be compared"),
    },
    "microphones": {"*": Each(_MICROPHONE)},
    "speaker": {
        "loudspeaker": Each(_TONE, N_("Loudspeaker")),
        "headphones": Each(_TONE, N_("Headphones")),
    },
    "speech_transmission": {
        "*": Each(
            {
                "index": Number(N_("Speech transmission"), digits=2),
                "quality": Word(N_("Quality"), TRANSMISSION_QUALITIES),
                "level_db": Number(N_("Loudness of the sweep"), DECIBELS, 1),
                "levels": Silent("the levels of the octaves are compared by the morning check"),
                "transfer": Silent("the transfer of the octaves makes up the index"),
            }
        ),
    },
    "headset": {"device": Text(N_("Device")), "heard": Person(N_("Tone heard"))},
    "scanner": {
        "device": Text(N_("Device")),
        "library": Text(N_("Program library")),
        "version": Text(N_("Version")),
        "back_end": Text(N_("Driver")),
        "open_ms": Number(N_("Answers after"), SECONDS, 1, scale=1 / 1000),
        "sheet_width_mm": Number(N_("Width of the test sheet"), N_("{n} mm")),
        "sheet_height_mm": Number(N_("Height of the test sheet"), N_("{n} mm")),
        "options": Each(
            {
                "resolution": Number(N_("Resolution"), N_("{n} dpi")),
                "mode": Text(N_("Mode")),
                "source": Text(N_("Paper source")),
                "*": Silent("a scanner's options have names of their own"),
            },
            N_("Options"),
        ),
    },
    "receipt_printer": {
        "online": Word(N_("Answers"), YES_NO),
        "paper_low": Word(N_("Little paper left"), YES_NO),
        "rows": Number(N_("Length of the test receipt"), N_("{n} dots")),
        "width_dots": Number(N_("Width of the print"), N_("{n} dots")),
        "readable": Person(N_("Clear and straight")),
    },
    "badge_reader": {
        "length": Number(N_("Length of the badge’s code"), N_("{n} characters")),
        "wait_ms": Number(N_("Badge read after"), SECONDS, 1, scale=1 / 1000),
    },
    "panel": {
        "lamp": Word(N_("Lamp can be switched"), YES_NO),
        "lamp_seen": Person(N_("Light seen")),
        "button_pressed": Word(N_("Button noticed"), YES_NO),
    },
    "touch": {
        "top_left": Number(N_("Top left"), _MILLIMETRES, 1),
        "top_right": Number(N_("Top right"), _MILLIMETRES, 1),
        "bottom_right": Number(N_("Bottom right"), _MILLIMETRES, 1),
        "bottom_left": Number(N_("Bottom left"), _MILLIMETRES, 1),
        "middle": Number(N_("Middle"), _MILLIMETRES, 1),
    },
    "storage": {
        "free_bytes": Number(N_("Free space"), GIGABYTES, 1, scale=1e-9, is_main=True),
        "total_bytes": Number(N_("Size"), GIGABYTES, 1, scale=1e-9),
        "hours_left": Number(N_("Recording that still fits"), N_("{n} h")),
        "write_mb_s": Number(N_("Writing"), N_("{n} MB/s"), 1),
        "read_mb_s": Number(N_("Reading"), N_("{n} MB/s"), 1),
        "sync_ms": Number(N_("Time until a write is safe"), MILLISECONDS, 1),
        "swap_on_disk": Word(N_("Memory swapped to the disk"), {"none": N_("no")}),
        "volatile": Word(N_("Lost when the power is cut"), YES_NO),
    },
    "mirror": {
        "state": Word(N_("State"), _STORED),
        "free_bytes": Number(N_("Free space"), GIGABYTES, 1, scale=1e-9, is_main=True),
        "total_bytes": Number(N_("Size"), GIGABYTES, 1, scale=1e-9),
        "behind_bytes": Number(N_("Still to be copied"), MEGABYTES, 1, scale=1e-6),
        "write_mb_s": Number(N_("Writing"), N_("{n} MB/s"), 1),
    },
    "clock": {
        "state": Word(
            N_("State"),
            {
                "ok": N_("in order"),
                "unsynchronised": N_("set, but not synchronised"),
                "unset": N_("not set"),
            },
        ),
        "synchronised": Word(N_("Synchronised"), YES_NO),
        "rtc": Word(
            N_("Clock with a battery"),
            {
                "absent": N_("not there"),
                "unkept": N_("battery missing or empty"),
                "differs": N_("another time than the kiosk"),
                "kept": N_("in order"),
            },
        ),
        "battery_v": Number(N_("Voltage of the clock battery"), VOLTS, 1),
        "charging_v": Number(N_("The clock battery is charged to"), VOLTS, 1),
        "apart_s": Number(N_("Ahead of the kiosk’s time"), SECONDS, 1),
    },
    "certificate": {
        "days_left": Number(N_("Days left"), N_("{n} days"), is_main=True),
        "ends": Time(N_("Valid until")),
        "issued_to": Text(N_("Issued to")),
        "clock_trusted": Word(N_("Clock can be trusted"), YES_NO),
    },
    "machine": {
        "temperature_c": Number(N_("Temperature"), N_("{n} °C"), 1, is_main=True),
        "is_under_voltage": Word(N_("Voltage too low now"), YES_NO),
        "was_under_voltage": Word(N_("Voltage too low since the start"), YES_NO),
        "is_throttled": Word(N_("Slowed down by heat now"), YES_NO),
        "was_throttled": Word(N_("Slowed down by heat since the start"), YES_NO),
        "file_system_errors": Number(N_("Errors of the file systems")),
        "wear_percent": Number(N_("Used part of the disk’s life"), PER_CENT),
        "supply_ma": Number(N_("Current of the power supply"), N_("{n} A"), 1, scale=1 / 1000),
    },
    "court_keys": {
        "state": Word(
            N_("State"),
            {
                "ok": N_("in order"),
                "unproven": N_("there, but not proven"),
                "missing": N_("not there"),
            },
        ),
        "proven": Each(
            {"court": Time(N_("Court")), "escrow": Time(N_("Escrow"))}, N_("Proven to decrypt")
        ),
    },
    "link": {
        "down_mbit": Number(N_("Download"), N_("{n} Mbit/s"), 1, is_main=True),
        "up_mbit": Number(N_("Upload"), N_("{n} Mbit/s"), 1, is_main=True),
        "rtt_ms": Number(N_("Round trip"), MILLISECONDS, 1),
        "loss": Number(N_("Lost packets"), PER_CENT, 1, scale=100),
        "late": Number(N_("Packets that came too late"), PER_CENT, 1, scale=100),
        "jitter_ms": Number(N_("Jitter"), MILLISECONDS, 1),
        "call": Word(
            N_("A call over the line"),
            {
                "heard": N_("is heard well"),
                "gaps": N_("is heard with gaps"),
                "unheard": N_("is not understood"),
            },
        ),
        "score": Number(N_("Quality of the voice, 1 to 4.5"), digits=1),
        "remedy": Word(
            N_("What is wrong"),
            {
                "rate": N_("too slow for a call"),
                "loss": N_("data is lost"),
                "jitter": N_("data comes unevenly"),
                "delay": N_("sound comes late"),
                "load": N_("sound comes late beside large files"),
            },
        ),
        "loaded_rtt_ms": Number(N_("Round trip when full"), MILLISECONDS, 0),
        "loaded_loss": Number(N_("Lost packets when full"), PER_CENT, 1, scale=100),
        "round_trips_per_minute": Number(N_("Round trips a minute when full")),
        "via": Word(N_("Measured with"), {"udp": N_("datagrams"), "https": N_("requests")}),
        "bearer": Word(
            N_("Connection"),
            {
                "wired": N_("cable"),
                "wifi": N_("Wi-Fi"),
                "cellular": N_("mobile network"),
                "unknown": N_("not known"),
            },
        ),
        "verdict": Word(
            N_("Verdict"),
            {
                "good": N_("enough for a hearing"),
                "borderline": N_("just enough for a hearing"),
                "below": N_("too slow for a hearing"),
                "unreachable": N_("no answer"),
            },
        ),
        "problem": Code(N_("Reason")),
        "sentence": Sentence(N_("Meaning")),
        "rate_sentence": Sentence(N_("Rate")),
        "remedy_sentence": Sentence(N_("What helps")),
        "direction": Silent("the sentence names it"),
        "rate_direction": Silent("the sentence on the rate names it"),
        "limit_mbit": Silent("it is the limit beside download and upload"),
        "at": Silent("the time of the test is shown with each result"),
    },
    "delivery": {
        "delivered": Word(N_("Test folder delivered"), YES_NO),
        "central_sha256_match": Word(N_("Same bytes on both sides"), YES_NO),
        "delivery_ms": Number(N_("Delivered after"), SECONDS, 1, scale=1 / 1000),
        "waiting_items": Number(N_("Waiting for delivery"), N_("{n} items")),
        "waiting_bytes": Number(N_("Size of what waits"), MEGABYTES, 1, scale=1e-6),
        "last_contact": Time(N_("Last contact with the central system")),
        "database": Word(
            N_("List of deliveries"), {"ok": N_("in order"), "rebuilt": N_("made again")}
        ),
        "probe": Silent("the number of a folder says nothing to a person"),
    },
}
"""Values of each check by name; ``*``: any other name."""
