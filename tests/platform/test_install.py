"""What ``make install`` lays out, and the settings file that it brings."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from kiosk.config import load_settings

ROOT = Path(__file__).resolve().parents[2]


def install_below(folder: Path) -> None:
    """Run the installation script into ``folder``."""
    subprocess.run(
        [ROOT / "packaging" / "install.sh"],
        check=True,
        env={**os.environ, "DESTDIR": str(folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )


def test_the_settings_file_that_is_shipped_is_valid() -> None:
    settings = load_settings(ROOT / "packaging" / "kiosk.toml")
    assert settings.camera.back_end == "auto"
    assert settings.microphones == ()


def test_its_examples_are_valid_when_they_are_switched_on(tmp_path: Path) -> None:
    text = (ROOT / "packaging" / "kiosk.toml").read_text(encoding="utf-8")
    example = tmp_path / "kiosk.toml"
    example.write_text(re.sub(r"^#(?=[a-z\[])", "", text, flags=re.MULTILINE), encoding="utf-8")
    settings = load_settings(example)
    assert [microphone.name for microphone in settings.microphones] == ["judge", "spare", "remote"]
    assert settings.paths.mirror == Path("/mnt/mirror")
    assert settings.sync.windows == ("20:00-07:00",)


def test_units_settings_and_command_are_laid_out(tmp_path: Path) -> None:
    install_below(tmp_path)
    units = {path.name for path in (tmp_path / "etc/systemd/system").iterdir()}
    assert units == {
        "kiosk.target",
        "kiosk-recorder.service",
        "kiosk-sync.service",
        "kiosk-ui.service",
    }
    assert (tmp_path / "etc/kiosk/kiosk.toml").is_file()
    assert (tmp_path / "usr/local/bin/kiosk").readlink() == Path(
        "/opt/courtroom-kiosk/.venv/bin/kiosk"
    )


def test_an_update_keeps_the_settings(tmp_path: Path) -> None:
    install_below(tmp_path)
    settings = tmp_path / "etc/kiosk/kiosk.toml"
    settings.write_text('[kiosk]\nid = "astana-7"\n', encoding="utf-8")
    install_below(tmp_path)
    assert load_settings(settings).kiosk.id == "astana-7"
