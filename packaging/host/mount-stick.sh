#!/bin/bash
# Has process 1 mount one file system of a USB stick at a fixed place; kiosk-stick@.service runs it.
#
#   /media/kiosk/stick1 to stick4   in the order of plugging in; each partition has its own place
#   /media/kiosk-mirror             the ext4 file system with the label kiosk-mirror
#
# FAT, exFAT and NTFS belong to kiosk-recorder and group kiosk-record (copies for the parties are
# written by the recorder, the courier's packs by sync). A Linux file system keeps its owner: the
# recorder acts as the owner of its top folder, so that files on the stick are that owner's.
# Left alone: what fstab names or is mounted already, disks of which something is mounted elsewhere
# (the kiosk's own), other file systems. The label of a stick names no path.
set -euo pipefail
device=/dev/$1
user=kiosk-recorder
group=kiosk-record
places=4

leave() {
	echo "$device is left alone: $*"
	exit 0
}

property() { udevadm info --query=property --property="$1" --value --name="$device"; }

# Print where anything of the device's disk is mounted, one place a line.
mounts_of_disk() {
	local disk
	disk=$(lsblk --nodeps --noheadings --output PKNAME "$device")
	lsblk --noheadings --raw --output MOUNTPOINTS "/dev/${disk:-${device#/dev/}}" |
		sed 's/\\x0a/\n/g' | grep -v '^\[\?$' || true
}

mount_at() {
	systemd-mount --quiet --no-ask-password --collect --fsck=no --property=LazyUnmount=yes \
		--type="$type" --options="$options" "$device" "$1"
}

type=$(property ID_FS_TYPE)
if findmnt --source "$device" >/dev/null; then leave "it is mounted"; fi
if findmnt --fstab --evaluate --source "$device" >/dev/null; then leave "/etc/fstab names it"; fi
if mounts_of_disk | grep -qvE '^/media/(kiosk/stick[0-9]+|kiosk-mirror)$'; then
	leave "its disk is used by the system"
fi

# Programs, devices and links on a stick mean nothing here.
options=nosuid,nodev,noexec,nosymfollow,noatime
if [ "$type" = ext4 ] && [ "$(property ID_FS_LABEL)" = kiosk-mirror ]; then
	options+=,errors=remount-ro
	if mountpoint --quiet /media/kiosk-mirror; then leave "there is a second storage already"; fi
	mount_at /media/kiosk-mirror
	exit
fi

ids="uid=$(id -u "$user"),gid=$(getent group "$group" | cut -d: -f3),umask=0007"
case $type in
vfat) options+=,$ids,utf8,flush ;;
exfat) options+=,$ids ;;
ntfs)
	type=ntfs3
	options+=,$ids
	;;
ext2 | ext3 | ext4)
	# The number of the top folder's owner and group, from the file system itself.
	read -r owner owners < <(debugfs -R 'stat <2>' "$device" 2>/dev/null |
		sed -n 's/^User: *\([0-9]*\) *Group: *\([0-9]*\).*/\1 \2/p')
	options+=",X-mount.idmap=u:$owner:$(id -u "$user"):1"
	options+=" g:$owners:$(getent group "$group" | cut -d: -f3):1"
	;;
*) leave "no file system for a stick: ${type:-unknown}" ;;
esac

# Two sticks at once may look at the same place: process 1 gives it to one of them.
for number in $(seq $places); do
	place=/media/kiosk/stick$number
	if mountpoint --quiet "$place"; then continue; fi
	if mount_at "$place"; then exit; fi
	if ! mountpoint --quiet "$place"; then
		echo "$device cannot be mounted" >&2
		exit 1
	fi
done
echo "$device is not mounted: all $places places are taken" >&2
exit 1
