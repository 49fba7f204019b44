"""Draws pictures of docs/technician.md from the samples of the screens.

``python -m tests.docs.technician_pictures`` draws the first screen in English at full size, and the
steps of setting a room up in Kazakh, Russian and English, three small ones beside each other.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

IMAGES = Path(__file__).parents[2] / "docs" / "images"
COLOURS = 128
SMALL = (640, 400)
SCREENS = {"technician_home": "technician-home"}
"""Pictures at full size, by sample."""
STEPS = {
    "commissioning-begun": "steps",
    "commissioning-microphones": "seats",
    "commissioning-walk": "walk",
    "commissioning-camera": "camera",
    "commissioning-paper": "paper",
    "commissioning-code": "code",
    "commissioning-report-made": "report",
}
"""Small pictures in three languages, by sample."""
LANGUAGES = ("kk", "ru", "en")


def step_pictures() -> Iterator[tuple[str, str, Path]]:
    """Yield sample, language and file of each small picture."""
    for sample, name in STEPS.items():
        for language in LANGUAGES:
            yield sample, language, IMAGES / f"room-{name}-{language}.png"


def main() -> int:
    """Draw all pictures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in (*SCREENS, "commissioning"):
            _draw(folder, part)
        for sample, target in SCREENS.items():
            _save(folder / f"{sample}-en1.png", IMAGES / f"{target}.png")
        for sample, language, file in step_pictures():
            _save(folder / f"{sample}-{language}1.png", file, SMALL)
    return 0


def _draw(folder: Path, part: str) -> None:
    looks = ",".join(f"{language}1" for language in LANGUAGES)
    command = [sys.executable, "-m", "kiosk.cli", "screens", "--out", str(folder)]
    subprocess.run([*command, "--only", part, "--looks", looks], check=True)


def _save(source: Path, target: Path, size: tuple[int, int] | None = None) -> None:
    with Image.open(source) as picture:
        drawn = picture.convert("RGB")
    if size is not None:
        drawn = drawn.resize(size, Image.Resampling.LANCZOS)
    drawn.quantize(COLOURS).save(target, optimize=True)


if __name__ == "__main__":
    sys.exit(main())
