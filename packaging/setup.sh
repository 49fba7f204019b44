#!/bin/bash
# Sets this machine up: Debian packages, Python environment, the project, message catalogues.
# Asks nothing and keeps what is already there, so a second run is instant and works offline.
# `packaging/setup.sh --help` explains the options.
set -euo pipefail

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$project/.venv
kind=auto
purpose=dev
without=()
# Modules of which the index has no wheels: Debian's are used, so that nothing is built here.
debian_modules=(python3-pyaudio python3-sane)
print_packages=no
with_apt=yes

usage() {
	cat <<'HELP'
usage: packaging/setup.sh [options]
  --pi | --pc            kind of this machine (default: read from /proc/device-tree/model)
  --run-only             no test tools, no virtual devices: for a kiosk in a courtroom
  --venv DIR             Python environment (default: .venv in the project)
  --without PACKAGE      skip one Debian package (repeatable)
  --no-apt               install no Debian packages
  --print-packages       print the names of the Debian packages, one a line, and stop
HELP
}

while [ $# -gt 0 ]; do
	case $1 in
	--pi) kind=pi ;;
	--pc) kind=pc ;;
	--run-only) purpose=run ;;
	--venv) venv=$2 && shift ;;
	--without) without+=("$2") && shift ;;
	--no-apt) with_apt=no ;;
	--print-packages) print_packages=yes ;;
	--help | -h) usage && exit 0 ;;
	*) usage >&2 && exit 2 ;;
	esac
	shift
done

if [ "$kind" = auto ]; then
	kind=pc
	if grep -qs 'Raspberry Pi' /proc/device-tree/model; then kind=pi; fi
fi

say() { printf 'setup: %s\n' "$*" >&2; }

# Print the packages of the given [sections] of debian-packages.txt, without the skipped ones.
packages_of() {
	awk -v wanted=" $* " -v left_out=" ${without[*]-} " '
		/^\[/ { section = substr($1, 2, length($1) - 2); next }
		/^[^#]/ && index(wanted, " " section " ") && !index(left_out, " " $1 " ") { print $1 }
	' "$project/packaging/debian-packages.txt"
}

wanted_packages() {
	local sections=(run)
	if [ "$purpose" = dev ]; then sections+=(dev); fi
	if [ "$kind" = pi ]; then sections+=(pi); fi
	packages_of "${sections[@]}"
}

# Print the packages on stdin that are neither installed nor provided by an installed package
# (Debian 13 renamed libraries: libmtdev1t64 provides libmtdev1).
missing_packages() {
	local installed
	# shellcheck disable=SC2016
	installed=$(dpkg-query -W -f '${db:Status-Status} ${Package} ${Provides}\n' |
		sed -n 's/^installed //p' | sed 's/([^)]*)//g; s/:[a-z0-9]*//g' | tr ' ,' '\n\n')
	grep -vxF -f <(printf '%s\n' "$installed" | sed '/^$/d') || true
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		say "root is needed (there is no sudo): run as root: $*"
		exit 1
	fi
}

install_packages() {
	local missing
	mapfile -t missing < <(wanted_packages | missing_packages)
	if [ ${#missing[@]} = 0 ]; then return; fi
	say "installing ${#missing[@]} Debian packages: ${missing[*]}"
	# An unreachable source must not stop the others: the installation decides.
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q update </dev/null >&2 ||
		say "some package lists could not be refreshed; continuing with the present ones"
	as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get -q -y \
		--no-install-recommends -o Dpkg::Options::=--force-confold -o Acquire::Retries=3 \
		install "${missing[@]}" </dev/null >&2
}

# Print a Python that can create an environment: `python3` or the system's own, whose venv module has
# just been installed. It must be of Debian's minor version, for which Debian's modules are compiled.
find_python() {
	local candidate debian
	debian=$(/usr/bin/python3 -c 'import sys; print(sys.version_info[:2])')
	for candidate in "${PYTHON:-python3}" /usr/bin/python3; do
		# On a Pi the environment must see all of Debian's packages: only Debian's Python does.
		if [ "$kind" = pi ]; then candidate=/usr/bin/python3; fi
		if "$candidate" -c 'import sys, venv, ensurepip' 2>/dev/null && "$candidate" -c "
import sys
version = sys.version_info[:2]
sys.exit(not (3, 11) <= version < (3, 15) or version != $debian)"; then
			echo "$candidate" && return
		fi
	done
	say "no Python of Debian's version $debian, 3.11 to 3.14, with the modules venv and ensurepip" \
		"(Debian: python3-venv)"
	exit 1
}

lock_file() {
	case $kind-$purpose in
	pc-dev) echo dev.lock ;;
	pc-run) echo run.lock ;;
	pi-dev) echo pi-dev.lock ;;
	pi-run) echo pi.lock ;;
	esac
}

# Create the environment again when it is absent or belongs to another Python or kind.
make_environment() {
	local python lock stamp state site
	python=$(find_python)
	lock=$project/requirements/$(lock_file)
	stamp=$venv/.kiosk-setup
	state="$kind $("$python" -c 'import sys; print(sys.version.split()[0])') $(cat "$lock" \
		"$project/pyproject.toml" "$project/packaging/setup.sh" | sha256sum | cut -d' ' -f1) $(
		dpkg-query -W -f '${Package}=${Version} ' "${debian_modules[@]}"
	) $project"
	if [ -x "$venv/bin/kiosk" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$state" ]; then return; fi
	if ! "$venv/bin/python" -c 'import pip' 2>/dev/null ||
		[ "$("$venv/bin/python" -c 'import sys; print(sys.version.split()[0])')" != \
			"$(cut -d' ' -f2 <<<"$state")" ] || ! same_kind; then
		say "making the Python environment $venv"
		local options=()
		if [ "$kind" = pi ]; then options+=(--system-site-packages); fi
		"$python" -m venv --clear "${options[@]}" "$venv"
	fi
	say "installing Python packages from requirements/$(basename "$lock")"
	# Nothing is built but the project itself, by the setuptools of the lock file.
	pip_install --require-hashes --no-deps --only-binary :all: -r "$lock"
	pip_install --no-deps --no-build-isolation --editable "$project"
	site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
	remove_unlocked "$lock" "$site"
	if [ "$kind" = pc ]; then link_debian_modules "$site"; fi
	if ! "$venv/bin/python" -m pip --disable-pip-version-check check >"$venv/.pip-check"; then
		cat "$venv/.pip-check" >&2
		# On a Pi the environment includes Debian's packages; their conflicts are not ours.
		if [ "$kind" = pc ]; then exit 1; fi
	fi
	echo "$state" >"$stamp"
}

# Remove what an earlier lock file had and this one ($1) has not, from the folder $2.
remove_unlocked() {
	local left_over
	mapfile -t left_over < <("$venv/bin/python" -m pip --disable-pip-version-check list \
		--path "$2" --exclude-editable --format freeze |
		sed 's/[=@ ].*//' | tr '[:upper:]_.' '[:lower:]--' |
		grep -vxF -e pip -f <(sed -n 's/^\([a-z0-9.-]*\)==.*/\1/p' "$1"))
	if [ ${#left_over[@]} = 0 ]; then return; fi
	say "removing what the lock file does not name: ${left_over[*]}"
	"$venv/bin/python" -m pip --quiet uninstall --yes --root-user-action=ignore \
		"${left_over[@]}" </dev/null >&2
}

# Let the environment see Debian's modules, and no other module of Debian's: links in a folder in $1.
link_debian_modules() {
	local package path folder=$1/debian-modules
	rm -rf "$folder"
	mkdir "$folder"
	for package in "${debian_modules[@]}"; do
		dpkg-query -L "$package" | grep -x '/usr/lib/python3/dist-packages/[^/]*' |
			while read -r path; do ln -s "$path" "$folder/"; done
	done
	echo debian-modules >"$1/debian-modules.pth"
}

same_kind() {
	local shared=false
	if [ "$kind" = pi ]; then shared=true; fi
	grep -qsx "include-system-site-packages = $shared" "$venv/pyvenv.cfg"
}

pip_install() {
	"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
		--root-user-action=ignore --retries 5 --timeout 60 "$@" </dev/null >&2
}

# Compile the catalogues whose source is newer; skip a read-only tree.
compile_catalogues() {
	local source
	find "$project/kiosk/locale" -name '*.po' | while read -r source; do
		if [ ! "${source%.po}.mo" -nt "$source" ] && [ -w "$(dirname "$source")" ]; then
			"$venv/bin/pybabel" --quiet compile --input-file "$source" \
				--output-file "${source%.po}.mo"
		fi
	done
}

if [ "$print_packages" = yes ]; then
	wanted_packages
	exit
fi
if [ "$with_apt" = yes ]; then install_packages; fi
# Two `make` at once: the second waits for the first.
exec 9<"${BASH_SOURCE[0]}"
flock 9
mkdir -p "$(dirname "$venv")"
make_environment
compile_catalogues
