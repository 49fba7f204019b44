"""The Material Design Icons in use, by name (``icons.toml``)."""

from __future__ import annotations

import tomllib
from pathlib import Path

ICONS: dict[str, str] = {
    name: chr(code)
    for name, code in tomllib.loads(
        Path(__file__).with_name("icons.toml").read_text(encoding="utf-8")
    ).items()
}
"""Character of each icon in the icon font."""
