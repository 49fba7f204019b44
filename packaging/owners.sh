#!/bin/bash
# Gives what an older version wrote as its one user, kiosk, to the users of today (docs/units.md) and
# removes that user. install.sh runs it before it makes the folders. Where there is nothing to give
# away it does nothing; interrupted, it goes on at the next run.
#
#   packaging/owners.sh [DATA [MIRROR]]      default: /var/lib/kiosk /media/kiosk-mirror
#   packaging/owners.sh --check              only says whether the kiosk must be stopped first
set -euo pipefail
data=${1:-/var/lib/kiosk}
mirror=${2:-/media/kiosk-mirror}

if ! id kiosk >/dev/null 2>&1; then exit 0; fi
if [ -d /run/systemd/system ] &&
	systemctl is-active --quiet kiosk-recorder.service kiosk-sync.service kiosk-ui.service; then
	echo "owners: stop the kiosk first (no hearing may run): systemctl stop kiosk.target" >&2
	exit 1
fi
if [ "$data" = --check ]; then exit 0; fi

# give USER:GROUP FOLDER-MODE FILE-MODE PATH: give away what is the old user's at and below PATH.
give() {
	if [ ! -e "$4" ]; then return; fi
	find "$4" -user kiosk -type d -exec chmod "$2" {} + -exec chown -h "$1" {} +
	find "$4" -user kiosk -type f -exec chmod "$3" {} + -exec chown -h "$1" {} +
}

give kiosk-recorder:kiosk-record 2770 g+r "$data/hearings"
give kiosk-recorder:kiosk-record 2770 g+r "$data/set-aside"
give kiosk-recorder:kiosk-record 2750 g+r "$data/exports"
give kiosk-recorder:kiosk-record 2755 go+r "$data/reports"
give kiosk-recorder:kiosk-record 0700 go= "$data/identity/keepers"
give kiosk-recorder:kiosk-record 2770 g+r "$data/identity"
give kiosk-ui:kiosk-filing 2750 u+r "$data/filings"
give kiosk-sync:kiosk-record 0770 g+r "$data/sync"
give kiosk-sync:kiosk-record 2750 g+r "$data/published/link-checks"
give kiosk-sync:kiosk-record 2755 g+r "$data/published"
give kiosk-sync:kiosk-record 2750 g+r "$data/receipts"
if [ -e "$mirror/kiosk-storage.json" ]; then
	give kiosk-recorder:kiosk-record 2770 g+r "$mirror"
fi
give kiosk-recorder:kiosk 2750 g+r "$data" # last: it says that all the others are done
if [ -e "$data/published/schedule.json" ]; then chmod o+r "$data/published/schedule.json"; fi

# A person may have that name, too: only the user that an older version made goes.
if [ "$(getent passwd kiosk | cut -d: -f6,7)" = "/var/lib/kiosk:/usr/sbin/nologin" ]; then
	userdel kiosk
fi
