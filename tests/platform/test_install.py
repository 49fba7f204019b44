"""What ``make install`` lays out, and the settings file that it brings."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from kiosk.commands.host import write_drop_in
from kiosk.errors import ConfigError
from kiosk.settings_files import load_settings

ROOT = Path(__file__).resolve().parents[2]


def run_below(folder: Path, script: str = "install.sh") -> None:
    """Run a script of ``packaging/`` that lays out or deletes files below ``folder``."""
    subprocess.run(
        [ROOT / "packaging" / script],
        check=True,
        env={**os.environ, "DESTDIR": str(folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )


def files_below(folder: Path) -> list[str]:
    """Return files and links below ``folder``."""
    found = (path for path in folder.rglob("*") if path.is_symlink() or path.is_file())
    return sorted(path.relative_to(folder).as_posix() for path in found)


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
    assert settings.paths.mirror == Path("/media/kiosk-mirror")
    assert settings.sync.windows == ("20:00-07:00",)


def test_units_settings_and_command_are_laid_out(tmp_path: Path) -> None:
    run_below(tmp_path)
    found = files_below(tmp_path)
    for unit in (*(ROOT / "systemd").glob("kiosk-[rsu]*.service"), ROOT / "systemd/kiosk.target"):
        assert f"etc/systemd/system/{unit.name}" in found
    assert (tmp_path / "etc/kiosk/kiosk.toml").is_file()
    assert (tmp_path / "usr/local/bin/kiosk").readlink() == Path(
        "/opt/courtroom-kiosk/.venv/bin/kiosk"
    )


def test_every_file_for_the_machine_is_laid_out() -> None:
    listed = (ROOT / "packaging/installed-files.txt").read_text(encoding="utf-8")
    used_in_place = {"mount-stick.sh"}
    files = {path.name for path in (ROOT / "packaging/host").iterdir()} - used_in_place
    assert [name for name in sorted(files) if f"packaging/host/{name}\n" not in listed] == []


def test_an_update_keeps_the_settings(tmp_path: Path) -> None:
    run_below(tmp_path)
    settings = tmp_path / "etc/kiosk/kiosk.toml"
    settings.write_text('[kiosk]\nid = "astana-7"\n', encoding="utf-8")
    run_below(tmp_path)
    assert load_settings(settings).kiosk.id == "astana-7"


def test_an_update_that_refuses_the_settings_changes_nothing_and_names_the_lines(
    tmp_path: Path,
) -> None:
    settings = tmp_path / "etc/kiosk/kiosk.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text('[kiosk]\nroom = ""\n\n[voice]\nheadphones = "plughw:1"\n', "utf-8")
    with pytest.raises(subprocess.CalledProcessError) as refused:
        run_below(tmp_path)
    said = refused.value.stderr.decode()
    assert f"{settings}:2: kiosk.room" in said
    assert f"{settings}:5: voice.headphones" in said
    assert "nothing was changed" in said
    assert files_below(tmp_path) == ["etc/kiosk/kiosk.toml"]


def test_a_removal_takes_exactly_what_was_laid_out(tmp_path: Path) -> None:
    others = ("etc/rpi/swap.conf", "etc/sysctl.d/99-local.conf", "var/lib/kiosk/hearings/1/a.m4s")
    for name in others:
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("mine")
    run_below(tmp_path)
    own_link = tmp_path / "etc/systemd/system/getty@tty1.service"
    own_link.unlink()
    own_link.symlink_to("/etc/systemd/system/own.service")  # an administrator's, made since
    run_below(tmp_path, "uninstall.sh")
    kept = ["etc/kiosk/kiosk.toml", "etc/systemd/system/getty@tty1.service", *others]
    assert files_below(tmp_path) == sorted(kept)
    assert not (tmp_path / "etc/systemd/journald.conf.d").exists()


def test_time_servers_of_the_settings_become_those_of_the_system(tmp_path: Path) -> None:
    drop_in = tmp_path / "90-kiosk.conf"
    assert write_drop_in(drop_in, ("ntp.court.example", "192.0.2.1"))
    assert "NTP=\nNTP=ntp.court.example 192.0.2.1\n" in drop_in.read_text()
    assert not write_drop_in(drop_in, ("ntp.court.example", "192.0.2.1"))  # nothing to restart
    assert write_drop_in(drop_in, ())
    assert not drop_in.exists()
    assert not write_drop_in(drop_in, ())


@pytest.mark.parametrize("server", ["ntp.example\nFallbackNTP=evil", "a b", "-x", ""])
def test_what_is_no_time_server_is_refused(tmp_path: Path, server: str) -> None:
    settings = tmp_path / "kiosk.toml"
    settings.write_text(f"[kiosk]\ntime_servers = [{json.dumps(server)}]\n")
    with pytest.raises(ConfigError, match="time_servers"):
        load_settings(settings)
