#!/bin/bash
# Makes the lock files under requirements/ anew from pyproject.toml (`make lock`).
# Versions stay as they are unless pyproject.toml asks for others; `packaging/lock.sh --upgrade`
# takes the newest. What each lock file is for: requirements/README.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

compile() {
	.venv/bin/uv pip compile --quiet --no-header --generate-hashes --universal "$@"
}
# Debian 13's own, which picamera2 and simplejpeg there are built for, and which therefore must
# stay the only ones: the lock files name none.
pi=(--python-version 3.13 --constraint requirements/pi-constraints.txt
	--no-emit-package numpy --no-emit-package pyaudio)

compile "$@" pyproject.toml --extra central --python-version 3.11 -o requirements/run.lock
compile "$@" pyproject.toml --all-extras --python-version 3.11 -o requirements/dev.lock
compile "$@" pyproject.toml "${pi[@]}" -o requirements/pi.lock
compile "$@" pyproject.toml --all-extras "${pi[@]}" -o requirements/pi-dev.lock
compile "$@" requirements/picamera2.in --no-deps --python-version 3.13 \
	-o requirements/picamera2.lock
