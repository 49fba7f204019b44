"""Gives a FLAC frame another number: its header and both checksums change, its sound does not.

libav's encoder numbers the frames that it makes. It reserves 7 MB, so one encoder serves several
tracks in turn, and each track has its frames numbered from 0 (RFC 9639, sections 9.1 and 9.3).
"""

from __future__ import annotations

from array import array


def _remainders(polynomial: int, bits: int) -> array[int]:
    """Return the remainder of each byte, highest bit first, before ``bits`` of zero."""
    found = array("H")
    for byte in range(256):
        value = byte << (bits - 8)
        for _ in range(8):
            value = value << 1 ^ (polynomial if value >> (bits - 1) else 0)
        found.append(value)
    return found


def _doubled(low: array[int], high: array[int]) -> tuple[array[int], array[int]]:
    """Return the tables that shift a remainder twice as far."""
    low, high = (
        array("H", (low[value & 0xFF] ^ high[value >> 8] for value in table))
        for table in (low, high)
    )
    return low, high


_TABLE8, _TABLE16 = _remainders(0x107, 8), _remainders(0x18005, 16)
_SHIFTS = [(array("H", (value << 8 for value in range(256))), _TABLE16)]
"""Tables for the lower and the upper byte, to shift by 1, 2, 4, … bytes, up to 1 MB."""
for _ in range(19):
    _SHIFTS.append(_doubled(*_SHIFTS[-1]))
_NUMBER = 4
"""Offset of the frame's number."""
_BLOCK_SIZE_BYTES = {6: 1, 7: 2}
_RATE_BYTES = {12: 1, 13: 2, 14: 2}
"""Bytes after the number, by the codes in the header's third byte."""


def renumber(frame: bytes, number: int) -> bytes:
    """Return the whole ``frame`` with ``number`` (below 2**31), as an encoder would write it."""
    fixed = _coded_length(frame[_NUMBER])
    further = _BLOCK_SIZE_BYTES.get(frame[2] >> 4, 0) + _RATE_BYTES.get(frame[2] & 15, 0)
    end = _NUMBER + fixed + further  # there is the header's checksum
    header = frame[:_NUMBER] + _code_number(number) + frame[_NUMBER + fixed : end]
    header += _checksum8(header)
    before, body = frame[: end + 1], frame[end + 1 : -2]
    change = _checksum16(before) ^ _checksum16(header)
    checksum = int.from_bytes(frame[-2:], "big") ^ _shift(change, len(body))
    return b"".join((header, body, checksum.to_bytes(2, "big")))


def _coded_length(first: int) -> int:
    """Return the bytes of a number whose first is ``first`` (as in UTF-8, up to six)."""
    return 1 if first < 0x80 else 8 - (first ^ 0xFF).bit_length()


def _code_number(number: int) -> bytes:
    if number < 0x80:
        return bytes((number,))
    length = next(length for length in range(2, 7) if number < 1 << (5 * length + 1))
    first = (0xFF00 >> length) & 0xFF | number >> 6 * (length - 1)
    rest = (0x80 | number >> 6 * place & 0x3F for place in range(length - 2, -1, -1))
    return bytes((first, *rest))


def _checksum8(data: bytes) -> bytes:
    value = 0
    for byte in data:
        value = _TABLE8[value ^ byte]
    return bytes((value,))


def _checksum16(data: bytes) -> int:
    value = 0
    for byte in data:
        value = (value << 8 & 0xFF00) ^ _TABLE16[value >> 8 ^ byte]
    return value


def _shift(remainder: int, count: int) -> int:
    """Return the frame's checksum ``remainder`` after ``count`` more bytes of zero."""
    for low, high in _SHIFTS:
        if count & 1:
            remainder = low[remainder & 0xFF] ^ high[remainder >> 8]
        count >>= 1
    return remainder
