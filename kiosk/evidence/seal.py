r"""The seal: ``SHA256SUMS`` over a folder and a detached CMS signature over it.

Stock tools check it, from inside the folder::

    sha256sum -c SHA256SUMS
    openssl cms -verify -binary -inform DER -in SHA256SUMS.p7s -content SHA256SUMS \
        -CAfile ca.pem -no-CApath -no-CAstore -purpose any -out /dev/null

Without ``-no-CApath -no-CAstore`` OpenSSL also trusts the machine's own roots, so that the owner
of any web server's certificate could make a new seal.
"""

from __future__ import annotations

from pathlib import Path

from kiosk.errors import RecordingError
from kiosk.evidence.signer import Signer
from kiosk.storage.hashing import sha256_of
from kiosk.storage.hearing_folder import COURIER_ONLY_MARKER, SIGNATURE, SUMS
from kiosk.storage.store import DIRECT, Store


def is_sealed(folder: Path) -> bool:
    """Return whether ``folder`` has a seal (valid or not)."""
    return (folder / SIGNATURE).exists() and (folder / SUMS).exists()


def list_files(folder: Path) -> list[str]:
    """Return the relative names of all files below ``folder`` except its own seal, sorted.

    The marker ``courier-only`` is left out, because it may be set after the seal. Links and devices
    are listed, too, so that verification finds them.
    """
    names = []
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if (path.is_symlink() or not path.is_dir()) and name not in (
            SUMS,
            SIGNATURE,
            COURIER_ONLY_MARKER,
        ):
            names.append(name)
    return sorted(names)


def parse_sums(text: str) -> dict[str, str]:
    """Return ``{name: sha256}`` of a ``SHA256SUMS`` text.

    Raises:
        RecordingError: a line is not ``<64 hex>  <relative name>``, or a name comes twice.
    """
    sums: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        digest, gap, name = line[:64], line[64:66], line[66:]
        outside = name.startswith("/") or ".." in Path(name).parts
        if len(digest) != 64 or gap != "  " or not name or outside or name in sums:
            raise RecordingError(f"{SUMS}: line {number} is malformed", code="sums_malformed")
        sums[name] = digest
    return sums


def format_sums(sums: dict[str, str]) -> bytes:
    """Return the ``SHA256SUMS`` text of ``{name: sha256}``, sorted by name."""
    if any("\n" in name or "\\" in name for name in sums):
        raise RecordingError("a file's name cannot be written into SHA256SUMS")
    return "".join(f"{sums[name]}  {name}\n" for name in sorted(sums)).encode("utf-8")


def seal_folder(folder: Path, signer: Signer, store: Store = DIRECT) -> None:
    """Seal ``folder``: write ``SHA256SUMS``, then its signature, durably.

    The sums of sealed sub-folders are copied from their ``SHA256SUMS``, so that their files need
    not be read again; only their seals are hashed.

    Args:
        store: reads and writes the folder.

    Raises:
        StorageError: a file cannot be read or the seal cannot be written.
    """
    store.flush(folder)
    located = store.locate(folder)
    known_sums = _sealed_subfolder_sums(located)
    sums = {name: known_sums.get(name) or sha256_of(located / name) for name in list_files(located)}
    data = format_sums(sums)
    store.write_file(folder / SUMS, data)
    store.write_file(folder / SIGNATURE, signer.seal(data))


def _sealed_subfolder_sums(folder: Path) -> dict[str, str]:
    """Return the sums in the seals of sub-folders, by name relative to ``folder``."""
    known: dict[str, str] = {}
    for part in sorted(path for path in folder.iterdir() if path.is_dir() and is_sealed(path)):
        sums = parse_sums((part / SUMS).read_text(encoding="utf-8"))
        known |= {f"{part.name}/{name}": digest for name, digest in sums.items()}
    return known
