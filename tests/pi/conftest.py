"""The tests here need libcamera and picamera2: they run in the tree of ``make test-pi`` alone."""

from __future__ import annotations

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("libcamera") and find_spec("picamera2") else ["test_*.py"]
