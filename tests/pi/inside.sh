#!/bin/bash
# Runs inside the tree of tree.sh: sets the project up as on a Pi, then runs the command it is given.
set -euo pipefail
venv=$PWD/.venv
packaging/setup.sh --pi --without python3-picamera2 --without python3-lgpio

# For the page docs/installation.md: what Raspberry Pi OS has, and what the page installs first.
if ! { command -v sudo && command -v git && command -v make; } >/dev/null; then
	DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install git make sudo \
		</dev/null >&2
fi

# picamera2 comes from apt on a Pi; here from pip, beside Debian's numpy, av and python-prctl.
stamp=$venv/.picamera2
wanted=$(sha256sum requirements/picamera2.lock "$venv/.kiosk-setup" | sha256sum)
if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
	"$venv/bin/pip" install --quiet --disable-pip-version-check --root-user-action=ignore \
		--require-hashes --no-deps --only-binary :all: --no-binary pidng --no-build-isolation \
		-r requirements/picamera2.lock </dev/null >&2
	echo "$wanted" >"$stamp"
fi

# The shim is compiled here: it must fit the tree's libc and headers.
shim=/opt/camshim-$(sha256sum tests/pi/camshim.c | cut -c1-16).so
if [ ! -e "$shim" ]; then
	gcc -O2 -Wall -shared -fPIC -o "$shim" tests/pi/camshim.c -ldl -lpthread
fi
export CAMSHIM_VIRTUAL_YAML=$PWD/tests/pi/virtual.yaml
export CAMSHIM_FPS=${CAMSHIM_FPS:-25}
export PYTHONPATH=$PWD:$PWD/tests/pi/stubs
export KIOSK_CAMERA_ALLOCATOR=virtual_allocator:VirtualAllocator
export PYTHONDONTWRITEBYTECODE=1
LD_PRELOAD=$shim exec "$@"
