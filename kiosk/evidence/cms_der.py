"""Checks the DER encoding of our CMS signatures, for the fields the signature does not cover.

RFC 5652 leaves version numbers and algorithm names of a SignedData unsigned, and readers ignore
some of them. In our seals they always have the same values, so that any other byte is a change.
"""

from __future__ import annotations

from collections.abc import Iterator

_DATA = bytes.fromhex("06092a864886f70d010701")
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_SHA256 = bytes.fromhex("300d06096086480165030402010500")
_ECDSA_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")
_VERSION_1 = bytes.fromhex("020101")
_SEQUENCE, _SET, _OCTETS, _CONTEXT_0 = 0x30, 0x31, 0x04, 0xA0


class CmsEncodingError(ValueError):
    """The bytes are not a seal as this kiosk encodes it."""


def check_canonical(der: bytes) -> None:
    """Check everything in a seal that its signature does not cover.

    Raises:
        CmsEncodingError: a field is not as this kiosk writes it.
    """
    outer = _unwrap(der, _SEQUENCE)
    oid, wrapped = _split(outer, 2)
    version, digests, content, certificates, signers = _split(
        _unwrap(_unwrap(wrapped, _CONTEXT_0), _SEQUENCE), 5
    )
    expected = [(oid, _SIGNED_DATA), (version, _VERSION_1), (content, b"\x30\x0b" + _DATA)]
    _unwrap(certificates, _CONTEXT_0)
    expected.append((_unwrap(digests, _SET), _SHA256))
    (signer,) = _split(_unwrap(signers, _SET), 1)
    version, _sid, digest, _attributes, algorithm, signature = _split(_unwrap(signer, _SEQUENCE), 6)
    expected += [(version, _VERSION_1), (digest, _SHA256), (algorithm, _ECDSA_SHA256)]
    _unwrap(signature, _OCTETS)
    if any(found != value for found, value in expected):
        raise CmsEncodingError("a field that is not signed has another value")


def _split(data: bytes, count: int) -> list[bytes]:
    """Return the ``count`` elements of which ``data`` consists."""
    elements = list(_elements(data))
    if len(elements) != count:
        raise CmsEncodingError(f"{len(elements)} elements in place of {count}")
    return elements


def _unwrap(element: bytes, tag: int) -> bytes:
    """Return the content of one whole element with ``tag``."""
    if not element or element[0] != tag:
        raise CmsEncodingError("another kind of element")
    start, end = _extent(element, 0)
    if end != len(element):
        raise CmsEncodingError("bytes after the end")
    return element[start:end]


def _elements(data: bytes) -> Iterator[bytes]:
    """Yield the elements (with their headers) in ``data``."""
    position = 0
    while position < len(data):
        _, end = _extent(data, position)
        yield data[position:end]
        position = end


def _extent(data: bytes, position: int) -> tuple[int, int]:
    """Return where the content of the DER element at ``position`` begins and ends."""
    if position + 2 > len(data):
        raise CmsEncodingError("it is cut off")
    start, length = position + 2, data[position + 1]
    if length >= 0x80:
        width = length & 0x7F
        length = int.from_bytes(data[start : start + width], "big")
        start += width
    if start + length > len(data):
        raise CmsEncodingError("it is cut off")
    return start, start + length
