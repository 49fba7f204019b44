#!/bin/bash
# `make test-pi`: the tests of this folder in the tree of tree.sh. Where that is not possible it
# says so and why, and ends well: the other tests do not depend on it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if ! why=$("$here/tree.sh" possible); then
	echo "test-pi: NOT RUN: $why"
	exit 0
fi
exec "$here/tree.sh" run .venv/bin/python -m pytest -p no:cacheprovider tests/pi "$@"
