#!/bin/bash
# Installs this folder's kiosk as services of this machine (`sudo make install`). Asks nothing and
# keeps an existing settings file, so it also updates. With DESTDIR it only writes the files below
# that folder (for packages and tests): it creates no user and starts nothing. The options are those
# of packaging/setup.sh (default: --run-only).
set -euo pipefail
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
home=/opt/courtroom-kiosk
root=${DESTDIR:-}
enabled=(kiosk-recorder.service kiosk-sync.service kiosk-ui.service kiosk.target
	kiosk-host.service kiosk-host.path)

# An update may refuse settings that an earlier version took. Said here, before anything is changed,
# with the environment that is there; one that cannot run today's code is asked again below.
check_settings() {
	local said status=0 settings=$root/etc/kiosk/kiosk.toml kiosk=$project/.venv/bin/kiosk
	if [ ! -e "$settings" ] || [ ! -x "$kiosk" ]; then return; fi
	said=$("$kiosk" config --config "$settings" 2>&1 >/dev/null) || status=$?
	if [ "$status" != 0 ] && grep -qF "$settings:" <<<"$said"; then
		printf '%s\n' "$said" >&2
		cat >&2 <<-END
			install: $1: this version refuses the settings above.
			install: What runs goes on, but after a restart or a power cut recorder, sync and screen would
			install: not start. Before that, correct these lines and run this again, or put the code
			install: of the earlier version back into $project.
		END
		exit 1
	fi
}

if [ -z "$root" ]; then
	if [ "$(id -u)" != 0 ]; then
		echo "install: needs root: sudo make install" >&2
		exit 1
	fi
	if [ "$project" != "$home" ]; then
		echo "install: the units expect the project in $home, this is $project" >&2
		echo "install: move it there (or clone it there) and run this again" >&2
		exit 1
	fi
	# Before anything is laid out: units of today do not work with the files of the old user.
	"$project/packaging/owners.sh" --check
	check_settings "nothing was changed"
	"$project/packaging/setup.sh" "${@:---run-only}"
	check_settings "nothing but packages was changed"
else
	check_settings "nothing was changed"
fi

while read -r place source target; do
	case $source in
	"->") install -d "$(dirname "$root$place")" && ln -sfn "$target" "$root$place" ;;
	*) install -D -m 0644 "$project/$source" "$root$place" ;;
	esac
done < <(grep '^/' "$project/packaging/installed-files.txt")
if [ ! -e "$root/etc/kiosk/kiosk.toml" ]; then
	install -D -m 0644 "$project/packaging/kiosk.toml" "$root/etc/kiosk/kiosk.toml"
fi
if [ -n "$root" ]; then exit; fi

systemd-sysusers /etc/sysusers.d/kiosk.conf
"$project/packaging/owners.sh"
systemd-tmpfiles --create /etc/tmpfiles.d/kiosk.conf /etc/tmpfiles.d/kiosk-host.conf
# The units may not write here: without its byte code every start would compile all modules anew.
"$home/.venv/bin/python" -m compileall -q -j 0 "$home/kiosk"
"$home/.venv/bin/kiosk" config >/dev/null
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	udevadm control --reload || true # a container has no udev
	systemctl enable --quiet "${enabled[@]}"
	echo "install: done; restart the machine now: sudo systemctl reboot"
else
	echo "install: done; systemd is not running here, so nothing was enabled"
fi
