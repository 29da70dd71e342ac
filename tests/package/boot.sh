#!/bin/sh
# Boots the systemd of a Debian folder as the first process of namespaces of its own, with a network that has
# the loopback only: boot.sh FOLDER CGROUP. CGROUP is an empty group of cgroup2; NOTIFY_SOCKET in the folder gets
# READY=1 at the end of the boot. A kill of this process ends all others.
set -e
if [ -z "$3" ]; then
  echo $$ >"$2/cgroup.procs"
  exec unshare --mount --pid --fork --kill-child --net --ipc --uts --cgroup "$0" "$1" "$2" inside
fi

root=$1
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for name in null zero full random urandom tty; do
  : >"$root/dev/$name"
  mount --bind "/dev/$name" "$root/dev/$name"
done
mkdir "$root/dev/shm" "$root/dev/pts"
mount -t tmpfs tmpfs "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin NOTIFY_SOCKET="$NOTIFY_SOCKET" \
  chroot "$root" /lib/systemd/systemd
