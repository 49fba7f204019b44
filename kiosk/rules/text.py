"""Look-alike letters in the court's languages, and folding for search.

Texts copied from PDFs have Latin schwas (U+0259, U+018F) in place of the Kazakh Cyrillic letter
(U+04D9, U+04D8). Both look the same, but search and speech fail on the Latin ones.
"""

from __future__ import annotations

import re
import unicodedata

LATIN_SCHWAS = "\u0259\u018f"
_SCHWA_TO_CYRILLIC = str.maketrans({"\u0259": "\u04d9", "\u018f": "\u04d8"})


#: Latin letters that look like Cyrillic ones, after case folding; keyboards and PDFs mix them up.
_LATIN_TO_CYRILLIC = str.maketrans("abcehikmoptxy", "авсенікмортху")
_NUMBER_SIGN = re.compile("^\\W*№")
_TO_HYPHEN = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"))
_TO_SLASH = str.maketrans("\\\u2044\u2215", "///")


def fold_schwa(text: str) -> str:
    """Return ``text`` with Cyrillic letters in place of Latin schwas."""
    return text.translate(_SCHWA_TO_CYRILLIC)


def has_latin_schwa(text: str) -> bool:
    """Return whether ``text`` has a Latin schwa."""
    return any(letter in text for letter in LATIN_SCHWAS)


def search_key(text: str) -> str:
    """Return ``text`` for comparison: NFC, schwa folded, case folded, white space collapsed."""
    return " ".join(fold_schwa(unicodedata.normalize("NFC", text)).casefold().split())


def plain_number(text: str) -> str:
    """Return the text of a case number in NFKC, with plain hyphens and slashes.

    What nobody sees is left out: texts copied from PDFs and chats have it.
    """
    folded = unicodedata.normalize("NFKC", text).translate(_TO_HYPHEN).translate(_TO_SLASH)
    return "".join(sign for sign in folded if unicodedata.category(sign) != "Cf")


def case_number_key(text: str) -> str:
    """Return a case number for comparison, whether printed, typed, or copied from a PDF.

    Look-alike letters, dashes, slashes either way, spaces, case, "№" before it and a full stop
    behind it are ignored.
    """
    folded = fold_schwa(plain_number(_NUMBER_SIGN.sub("", text)))
    return re.sub(r"\s+", "", folded).casefold().translate(_LATIN_TO_CYRILLIC).rstrip(".,;")
