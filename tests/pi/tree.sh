#!/bin/bash
# A Debian trixie tree in which the real picamera2 runs over the real libcamera without a camera
# (libcamera's "virtual" pipeline): what a Raspberry Pi has, as far as a PC can have it.
#
#   tests/pi/tree.sh possible   exit status 0, or 1 with the reason why not
#   tests/pi/tree.sh build      builds the tree unless it is in the cache; prints its path
#   tests/pi/tree.sh run CMD…   copies the project in, sets it up there as on a Pi, runs CMD in it
#
# The tree lies in ${XDG_CACHE_HOME:-~/.cache}/courtroom-kiosk/pi-<hash of this recipe>.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
project=$(cd "$here/../.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/courtroom-kiosk
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# libcamera is pinned to 0.7: camshim.c names C++ symbols of that version.
libcamera="python3-libcamera/trixie-backports libcamera-tools/trixie-backports
	libcamera-ipa/trixie-backports libcamera0.7/trixie-backports libcamera-v4l2/trixie-backports"
# What the Pi's archive pulls in with its python3-picamera2, which Debian does not have.
picamera2_needs="python3-prctl python3-pil python3-jsonschema python3-tqdm python3-av"
# With which the units are booted.
systemd="systemd-sysv systemd-container dbus"
setup_options=(--pi --without python3-picamera2 --without python3-lgpio)
setup_options+=(--without haproxy --without python3-swift) # of the central system's tests

say() { printf 'test-pi: %s\n' "$*" >&2; }

reason_against() {
	if [ "$(uname -m)" != x86_64 ]; then
		echo "the shim for libcamera's virtual camera is written for x86-64, not $(uname -m)"
	elif [ "$(id -u)" != 0 ]; then
		echo "building and entering a Debian tree needs root"
	elif ! command -v mmdebstrap >/dev/null; then
		echo "mmdebstrap is not installed"
	elif [ ! -r "$keyring" ]; then
		echo "no Debian archive keyring at $keyring"
	elif [ -z "$(mirror)" ]; then
		echo "this machine's apt sources name no Debian archive"
	elif ! unshare --mount --pid --fork --ipc true 2>/dev/null; then
		echo "this machine does not let root make namespaces"
	fi
}

# The Debian archive this machine itself uses: the first source whose suite is the machine's own.
mirror() {
	local codename
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	cat /etc/apt/sources.list.d/*.sources 2>/dev/null | awk -v suite="$codename" '
		function flush() { if (uri != "" && index(" " suites " ", " " suite " ")) { print uri; done = 1; exit } uri = ""; suites = "" }
		/^[ \t]*$/ { flush() }
		/^URIs:/ { uri = $2 }
		/^Suites:/ { $1 = ""; suites = $0 }
		END { if (!done) flush() }
	' | grep . && return
	cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
		sed -n 's/^deb[ \t]\+\(\[[^]]*\][ \t]*\)\?//p' |
		awk -v suite="$codename" '$2 == suite && / main/ { print $1; exit }'
}

tree_path() {
	local recipe
	recipe="$libcamera $picamera2_needs $systemd $(declare -f make_tree)"
	echo "$cache/pi-$(sha256sum <<<"$recipe" | cut -c1-16)"
}

# The packages of today are in it from the start; what is added to the list later, setup.sh adds.
make_tree() {
	local uri packages
	uri=$(mirror)
	packages=$("$project/packaging/setup.sh" "${setup_options[@]}" --print-packages |
		cat - <(printf '%s\n' ca-certificates $picamera2_needs $libcamera $systemd) | sort -u | paste -sd,)
	printf 'deb [signed-by=%s] %s %s main\n' \
		"$keyring" "$uri" trixie "$keyring" "$uri" trixie-backports |
		mmdebstrap --mode=root --variant=apt --include="$packages" \
			--aptopt='Acquire::Retries "3"' trixie "$1" - || return
	# No daemon may start in the tree when packages are added to it later.
	printf '#!/bin/sh\nexit 101\n' >"$1/usr/sbin/policy-rc.d"
	chmod +x "$1/usr/sbin/policy-rc.d"
}

build() {
	local tree part
	tree=$(tree_path)
	if [ -d "$tree" ]; then echo "$tree" && return; fi
	mkdir -p "$cache"
	exec 8>"$cache/build.lock"
	flock 8
	if [ -d "$tree" ]; then echo "$tree" && return; fi
	part=$tree.part
	rm -rf --one-file-system "$part" "$cache"/pi-*.part
	say "building a Debian trixie tree in $tree (some minutes, once)"
	if ! make_tree "$part" >"$cache/build.log" 2>&1; then
		tail -n 30 "$cache/build.log" >&2
		say "the tree could not be built (all of it: $cache/build.log)"
		exit 1
	fi
	mv "$part" "$tree"
	# Trees of older recipes, unless one is in use.
	local old
	for old in "$cache"/pi-*/; do
		old=${old%/}
		if [ "$old" != "$tree" ]; then
			flock --nonblock "$old.lock" rm -rf --one-file-system "$old" || true
		fi
	done
	echo "$tree"
}

# Everything happens in namespaces of its own: when the command ends, so do its processes and
# mounts, however it ends.
run() {
	local tree
	tree=$(build)
	exec 8>"$tree.lock"
	flock 8
	# Outside the tree, for what is booted on top of it.
	mkdir -p "$cache/disk"
	DISK=$cache/disk TREE=$tree PROJECT=$project exec unshare --mount --pid --fork --kill-child \
		--ipc --uts --cgroup --propagation private bash -euc '
		for file in /etc/resolv.conf /etc/hosts; do cp -L "$file" "$TREE/etc/"; done
		cp -L /etc/ssl/certs/ca-certificates.crt "$TREE/etc/ssl/certs/ca-certificates.crt"
		home=$TREE/opt/courtroom-kiosk
		mkdir -p "$home" "$TREE/rig/root" "$TREE/rig/disk"
		find "$home" -mindepth 1 -maxdepth 1 ! -name .venv -exec rm -rf --one-file-system {} +
		tar -C "$PROJECT" --exclude=./.venv --exclude=./.git --exclude=./build --exclude=./demo \
			--exclude="__pycache__" --exclude="./.*_cache" --exclude="*.egg-info" -cf - . |
			tar -C "$home" -xf - --no-same-owner
		# A root of its own and not a chroot: systemd-nspawn refuses to work in one.
		mount --bind "$TREE" "$TREE"
		cd "$TREE"
		mount --rbind /dev dev
		mount -t tmpfs -o mode=1777 shm dev/shm
		mount -t proc proc proc
		mount -t sysfs sys sys
		mount -t cgroup2 cgroup sys/fs/cgroup || echo "test-pi: no cgroups here" >&2
		mount -t tmpfs -o mode=1777 tmp tmp
		mount -t tmpfs -o mode=0755 run run
		mount --bind "$TREE" rig/root
		mount --bind "$DISK" rig/disk
		pivot_root . mnt
		cd /opt/courtroom-kiosk
		umount -l /mnt
		exec /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
			HOME=/root LANG=C.UTF-8 CI="${CI:-}" tests/pi/inside.sh "$@"
	' - "$@"
}

case ${1:-} in
possible)
	why=$(reason_against)
	if [ -n "$why" ]; then echo "$why" && exit 1; fi
	;;
build) build ;;
run) shift && run "$@" ;;
*) sed -n '2,10s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2 && exit 2 ;;
esac
