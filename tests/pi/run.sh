#!/bin/bash
# `make test-pi`: the tests of this folder in the tree of tree.sh. Where that is not possible it
# says so and why, and ends well: the other tests do not depend on it.
#   tests/pi/run.sh [ARGS]           the tests; ARGS are those of pytest
#   tests/pi/run.sh faults [NAME…]   puts old faults back, one at a time: each must be noticed
#   tests/pi/run.sh demo             the demo, with the tree's Python
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if ! why=$("$here/tree.sh" possible); then
	echo "test-pi: NOT RUN: $why"
	exit 0
fi
case ${1:-} in
faults) shift && exec "$here/tree.sh" run .venv/bin/python -m tests.pi.faults "$@" ;;
demo) exec "$here/tree.sh" run env -u LD_PRELOAD .venv/bin/kiosk demo --out /tmp/demo ;;
*) exec "$here/tree.sh" run .venv/bin/python -m pytest -p no:cacheprovider tests/pi "$@" ;;
esac
