"""What readers send around a badge, as their makers deliver them."""

from __future__ import annotations

import pytest

from kiosk.hardware.badge_frames import MAX_LENGTH, BadgeFrames

CARD = "0A00F1B2C399"


def received(*pieces: bytes) -> list[str]:
    """Return the badges of pieces that arrive one after the other; an empty piece is a silence."""
    frames = BadgeFrames()
    return [badge for piece in pieces for badge in frames.receive(piece)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(b"", b"\r\n", id="CR LF"),
        pytest.param(b"", b"\r", id="CR"),
        pytest.param(b"", b"\n", id="LF"),
        pytest.param(b"", b"\t", id="TAB"),
        pytest.param(b"\x02", b"\x03", id="STX ETX"),
        pytest.param(b"\x02", b"\r\n\x03", id="STX CR LF ETX"),
        pytest.param(b"\xef\xbb\xbf", b"\r\n", id="byte order mark"),
        pytest.param(b"]Q1", b"\r\n", id="AIM identifier of a QR code"),
        pytest.param(b"\xef\xbb\xbf]C0", b"\t", id="byte order mark and AIM identifier"),
    ],
)
def test_what_stands_around_a_badge_is_no_part_of_it(before: bytes, after: bytes) -> None:
    frame = before + CARD.encode() + after
    assert received(frame, frame) == [CARD, CARD]
    assert received(*(bytes([value]) for value in frame * 2)) == [CARD, CARD]


def test_a_silence_ends_a_badge_without_a_suffix() -> None:
    assert received(CARD[:5].encode(), CARD[5:].encode()) == []
    assert received(CARD[:5].encode(), CARD[5:].encode(), b"", b"") == [CARD]


@pytest.mark.parametrize("noise", [b"\xff\xfe\xfd\xfc", b"\x00\x01\x07\x08", b"x" * 600])
def test_what_is_no_text_is_told_and_the_next_badge_is_read(noise: bytes) -> None:
    assert received(noise + b"\r" + CARD.encode() + b"\r") == ["", CARD]


def test_the_rest_of_what_is_too_long_is_no_badge() -> None:
    assert received(b"x" * (MAX_LENGTH + 1), b"rest", b"\r") == [""]
    assert received(b"x" * (MAX_LENGTH + 1), b"rest", b"") == [""]


def test_a_glitch_of_the_line_is_not_told() -> None:
    assert received(b"\x00", b"", b"\xff\xff\r") == []
