"""Standard streams of a command: closed by the caller, or read by nobody."""

from __future__ import annotations

import io
import os
import select
import sys


def open_standard_streams() -> None:
    """Open what the caller closed (``>&-``): a file of the kiosk must not take its place."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    for name, number, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))
    if isinstance(sys.stdout, io.TextIOWrapper):  # half of a surrogate pair is printed as escape
        sys.stdout.reconfigure(errors="backslashreplace")


def is_output_closed() -> bool:
    """Return whether nobody reads standard output any more."""
    output = select.poll()
    try:
        output.register(sys.stdout.fileno(), 0)
    except (OSError, ValueError):  # replaced by something without a file
        return False
    return bool(output.poll(0))


def discard_output() -> None:
    """Send what still waits to be printed nowhere, so that the interpreter's own flush succeeds."""
    descriptor = os.open(os.devnull, os.O_WRONLY)
    os.dup2(descriptor, sys.stdout.fileno())
    os.close(descriptor)
