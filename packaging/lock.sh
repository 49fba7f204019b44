#!/bin/bash
# Rewrites the lock files under requirements/ from pyproject.toml (`make lock`).
# Versions stay unless pyproject.toml requires others; `packaging/lock.sh --upgrade` takes the newest.
# requirements/README.md says what each lock file is for.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Wheels only: what is built at installation would be built with tools that no hash names.
compile() {
	.venv/bin/uv pip compile --quiet --no-header --generate-hashes --universal \
		--only-binary :all: "$@"
}
# numpy comes from Debian 13 there, whose picamera2 and simplejpeg are built for it. It must stay the
# only one: the lock files name none.
pi=(--python-version 3.13 --constraint requirements/pi-constraints.txt --no-emit-package numpy)

compile "$@" pyproject.toml --extra central --python-version 3.11 -o requirements/run.lock
compile "$@" pyproject.toml --all-extras --python-version 3.11 -o requirements/dev.lock
compile "$@" pyproject.toml "${pi[@]}" -o requirements/pi.lock
compile "$@" pyproject.toml --all-extras "${pi[@]}" -o requirements/pi-dev.lock
# picamera2's pidng has no wheels.
compile "$@" requirements/picamera2.in --no-deps --python-version 3.13 --no-binary pidng \
	-o requirements/picamera2.lock
