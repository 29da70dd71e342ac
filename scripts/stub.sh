#!/bin/sh
# barge @VERSION@, one self-extracting file: this header, then a compressed tar of the runtime
# (Deno, MIT license), the program, and their licenses. The first start unpacks it into the cache
# directory; later starts find it there and go straight to the last line, in a millisecond, since
# only builtins of the shell run on that way. PATH is set only in subshells, so that the program gets
# the environment of its caller.

hash=@HASH@
tools=/usr/local/bin:/usr/bin:/bin

fail() {
  printf 'barge: %s\n' "$1" >&2
  exit 7
}

# Succeeds if only this user and root can change $1: one of them owns each folder and link from / on,
# and it is not writable by others, or is sticky like /tmp. Sets `real` to the path without links,
# which can't change after the check. If `me` is not set, this user must own $1. (In a container the
# owner of / counts as root.)
safe() {
  real=$1 path='' rest=${1#/} linked=''
  set -- /
  while [ -n "$rest" ]; do
    path=$path/${rest%%/*}
    set -- "$@" "$path"
    [ ! -L "$path" ] || linked=yes
    case $rest in */*) rest=${rest#*/} ;; *) rest='' ;; esac
  done
  levels=$(PATH=$tools && exec stat -c '%u %f' -- "$@" 2>/dev/null) || return
  owner=${levels##*"$newline"}
  owner=${me:-${owner% *}}
  set -- $levels
  root=$1
  while [ $# -gt 0 ]; do
    case $1 in 0 | "$root" | "$owner") ;; *) return 1 ;; esac
    mode=$((0x$2))
    # A link has all bits set; S_IWGRP and S_IWOTH are 022, S_ISVTX is 01000, in octal.
    [ $((mode >> 12)) -eq 10 ] || [ $((mode & 18)) -eq 0 ] || [ $((mode & 512)) -ne 0 ] || return
    shift 2
  done
  [ -n "$linked" ] || return 0
  real=$(cd -P "$real" 2>/dev/null && printf %s "$PWD") && safe "$real"
}

# Succeeds if this version is in the folder $1, unpacked by this user after `safe` checked this path:
# only this user can make the file `checked`, which names it. Unlike `safe` it does not notice that
# the user has made the folder writable by others since; a server calls `safe` at each start.
unchanged() {
  dir=$1/$hash path='' rest=${1#/}/$hash ours=''
  [ ! -O / ] || ours=yes
  while [ -n "$rest" ]; do
    path=$path/${rest%%/*}
    [ ! -L "$path" ] || return
    if [ -O "$path" ]; then ours=yes; elif [ -n "$ours" ]; then return 1; fi
    case $rest in */*) rest=${rest#*/} ;; *) rest='' ;; esac
  done
  [ -n "$ours" ] && [ -x "$dir/barge" ] && [ -O "$dir/barge" ] && [ -O "$dir/checked" ] &&
    IFS= read -r path <"$dir/checked" && [ "$path" = "$dir" ]
}

# The same, checked by `safe`.
ready() {
  [ -x "$1/$hash/barge" ] && [ -O "$1/$hash/barge" ] && [ -O "$1/$hash" ] && safe "$1/$hash" || return
  [ $((mode & 18)) -eq 0 ] && dir=$real
}

# Makes the folder $1, and sets `base` to it if only this user can write it.
make() {
  up=$1
  until [ -e "$up" ] || [ -L "$up" ]; do up=${up%/*}; done
  safe "${up:-/}" || return
  rest=${1#"$up"} base=${real%/}
  while [ -n "$rest" ]; do
    rest=${rest#/}
    base=$base/${rest%%/*}
    # Another start may be faster, or another user in /tmp.
    (PATH=$tools && mkdir -m 700 "$base" 2>/dev/null)
    [ -O "$base" ] && [ ! -L "$base" ] || return
    case $rest in */*) rest=/${rest#*/} ;; *) rest='' ;; esac
  done
  [ -d "$base" ] && [ -O "$base" ] && [ -w "$base" ] && safe "$base" && [ $((mode & 18)) -eq 0 ]
}

# Exits with 3 if files in $base can't be executed.
unpack() (
  PATH=$tools
  umask 077
  dir=$base/$hash

  # One start unpacks while the others wait. The lock ends with its process, so a killed start blocks
  # nobody; the next start removes its incomplete files.
  if command -v flock >/dev/null && exec 9>"$base/.lock" && flock 9; then
    [ ! -x "$dir/barge" ] || exit 0
    rm -rf "$base"/.unpack.* "$dir"
  fi

  damaged="cannot unpack into $base: the disk is full, or $0 is damaged"
  new=$(mktemp -d "$base/.unpack.XXXXXX") || fail "$damaged"
  { tail -n +@LINES@ "$0" | gzip -dc || : >"$new/damaged"; } | tar -xof - -C "$new" && [ ! -e "$new/damaged" ] || {
    rm -rf "$new"
    fail "$damaged"
  }
  if ! [ -x "$new/barge" ]; then
    rm -rf "$new"
    exit 3
  fi
  printf '%s\n' "$dir" >"$new/checked" && chmod 700 "$new" || fail "$damaged"
  # Synced before the rename: a power cut must not leave an empty runtime under the final name.
  find "$new" -type f -exec sync {} +
  # Without flock another start may have been faster; its copy is the same.
  mv -T "$new" "$dir" 2>/dev/null || rm -rf "$new"
  sweep
  exit 0
)

# Removes other versions that are not running. Checks again after the rename, from which on none can
# be started.
sweep() {
  [ -e /proc/self/exe ] || return 0
  for old in "$base"/.old.* "$base"/*; do
    name=${old##*/}
    name=${name#.old.}
    case $name in "$hash" | *[!0-9a-f]*) continue ;; esac
    [ ${#name} -eq 64 ] && ! runs "$old" || continue
    mv -T "$old" "$base/.old.$name" 2>/dev/null
    if runs "$base/.old.$name"; then mv -T "$base/.old.$name" "$old"; else rm -rf "$base/.old.$name"; fi
  done
}

# Servers hold a lock, which other containers see, too.
runs() {
  [ -e "$1/barge" ] || return
  for exe in /proc/[0-9]*/exe; do [ ! "$exe" -ef "$1/barge" ] || return 0; done
  command -v flock >/dev/null && ! flock -n "$1/barge" true
}

# Succeeds if this version is in the folder $1.
found() {
  { [ "$verb" != serve ] && unchanged "$1"; } || ready "$1"
}

newline='
'
verb=${1:-}
me='' cache=''
case ${XDG_CACHE_HOME:-} in
  /*) cache=$XDG_CACHE_HOME/barge ;;
  *) case ${HOME:-} in /*) [ ! -d "$HOME" ] || cache=$HOME/.cache/barge ;; esac ;;
esac

# Finds or makes a private folder if the cache belongs to another user, can be changed by others, or
# can't be written.
find_folder() {
  me=$(PATH=$tools && id -u) || fail "cannot run id, which is looked for in $tools"
  tmp=/tmp runtime=''
  case ${TMPDIR:-} in /*) tmp=$TMPDIR ;; esac
  case ${XDG_RUNTIME_DIR:-} in /*) [ ! -d "$XDG_RUNTIME_DIR" ] || runtime=$XDG_RUNTIME_DIR/barge ;; esac
  for folder in "$tmp/barge-$me" "$tmp/barge-$me".?????? "$runtime"; do
    ! found "$folder" || return 0
  done
  for folder in "$cache" "$tmp/barge-$me" "$tmp/barge-$me".?????? "$runtime"; do
    case ${folder##*/} in '' | *'?'*) continue ;; esac
    ! settle "$folder" || return 0
  done
  # Another user was first to take these names.
  folder=$(PATH=$tools && mktemp -d "$tmp/barge-$me.XXXXXX" 2>/dev/null) && settle "$folder" && return
  fail "cannot unpack into ${cache:-a cache} or below $tmp: others can change it, or it cannot be written, or is mounted noexec; set XDG_CACHE_HOME to a folder of yours"
}

# Unpacks below the folder $1, if possible.
settle() {
  make "$1" || return
  [ -z "$cache" ] || [ "$1" = "$cache" ] ||
    printf 'barge: using %s, since %s can be changed by others or cannot be used\n' "$1" "$cache" >&2
  unpack
  case $? in 0) ready "$base" ;; 3) return 3 ;; *) exit 7 ;; esac
}

[ -n "$cache" ] && found "$cache" || find_folder

# Clients compile all functions of their modules at once, for the cache; a server compiles only those
# that it calls, to save memory. The two can't share a cache.
case $verb in
  serve)
    kind=server heap=@SERVER@
    # Held as long as the server runs (see `runs`), unless the caller has that descriptor (--ready-fd 9).
    [ -e /proc/$$/fd/9 ] || exec 9<"$dir/barge" && (PATH=$tools && flock -s 9 2>/dev/null)
    ;;
  *) kind=client heap=@CLIENT@ ;;
esac

# DENO_DIR keeps the runtime's own cache in ours; DENO_NODE_SHIM_ACTIVE keeps it from adding a
# folder to PATH.
export DENO_DIR="$dir/cache/$kind" DENO_NO_UPDATE_CHECK=1 DENO_NODE_SHIM_ACTIVE=1
exec "$dir/barge" @RUN@ "$heap" "$dir/program/main.js" "$@"
