"""Locked packages of the npm registry, for tests against other people's JavaScript."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


def install(source: Path, folder: Path, least_node: int = 18) -> Path:
    """Copy ``source`` (``package-lock.json`` and more) to ``folder``, install there; return it.

    Skips the test, with the reason, where there is no node or no registry.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node and npm are not installed")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
    if int(version.stdout.lstrip("v").split(".")[0]) < least_node:
        pytest.skip(f"node {least_node} is needed, this is {version.stdout.strip()}")
    folder.mkdir(parents=True, exist_ok=True)
    for file in source.iterdir():
        if file.is_file():
            shutil.copy(file, folder)
    done = subprocess.run(
        [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip(f"npm's registry does not give the packages: {done.stderr.strip()[-300:]}")
    return folder
