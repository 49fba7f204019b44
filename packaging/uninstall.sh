#!/bin/bash
# Takes off this machine what install.sh laid out (`sudo make uninstall`). Data, settings, the
# services' users and Debian packages stay. With DESTDIR it only deletes files below that folder.
set -euo pipefail
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
root=${DESTDIR:-}

if [ -z "$root" ]; then
	if [ "$(id -u)" != 0 ]; then
		echo "uninstall: needs root: sudo make uninstall" >&2
		exit 1
	fi
	if [ -d /run/systemd/system ]; then
		systemctl disable --quiet --now kiosk.target kiosk-recorder.service kiosk-sync.service \
			kiosk-ui.service kiosk-host.service kiosk-host.path \
			kiosk-hall.service kiosk-hall-view.socket kiosk-hall-view.service
	fi
fi

# Delete one file or link, and the drop-in folder that it leaves empty.
take_away() {
	rm -f "$root$1"
	case $1 in
	/etc/rpi/*) rmdir "$root/etc/rpi/swap.conf.d" "$root/etc/rpi" 2>/dev/null || true ;;
	*.conf.d/*) rmdir "$(dirname "$root$1")" 2>/dev/null || true ;;
	esac
}

while read -r place source target; do
	# A link that somebody has pointed elsewhere since is not ours.
	if [ "$source" = "->" ] && [ "$(readlink "$root$place")" != "$target" ]; then continue; fi
	take_away "$place"
done < <(grep '^/' "$project/packaging/installed-files.txt")
take_away /etc/systemd/timesyncd.conf.d/90-kiosk.conf # written by kiosk-host.service
if [ -n "$root" ]; then exit; fi

for place in /media/kiosk/stick? /media/kiosk /media/kiosk-mirror; do
	rmdir "$place" 2>/dev/null || true # a stick is mounted there
done
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	udevadm control --reload || true # a container has no udev
fi
echo "uninstall: done; restart the machine now. Data (/var/lib/kiosk), settings (/etc/kiosk) and"
echo "uninstall: $project stay: delete them when the court has decided about the recordings."
