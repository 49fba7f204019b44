"""Text of the court's language: look-alike letters, folding for search.

Texts copied from PDFs hold Latin schwas (U+0259, U+018F) where Kazakh has its Cyrillic letter
(U+04D9, U+04D8); both look the same, and neither search nor speech finds the wrong one.
"""

from __future__ import annotations

import unicodedata

LATIN_SCHWAS = "\u0259\u018f"
_FOLD = str.maketrans({"\u0259": "\u04d9", "\u018f": "\u04d8"})


def fold_schwa(text: str) -> str:
    """Return ``text`` with each Latin schwa as the Cyrillic letter it stands for."""
    return text.translate(_FOLD)


def has_latin_schwa(text: str) -> bool:
    """Return whether ``text`` holds a Latin schwa."""
    return any(letter in text for letter in LATIN_SCHWAS)


def search_key(text: str) -> str:
    """Return ``text`` for comparison: NFC, schwa folded, case folded, white space collapsed."""
    return " ".join(fold_schwa(unicodedata.normalize("NFC", text)).casefold().split())
