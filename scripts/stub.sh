#!/bin/sh
# barge @VERSION@, one self-extracting file: this header, then a compressed tar of the runtime
# (Deno, MIT license), the program, and their licenses. The first start unpacks it into the cache
# directory; every later start finds it there and goes straight to the last line.
# Only the shell's own commands run on that way, so that it costs a millisecond, and PATH is set
# in subshells alone, so that the program sees the environment of whoever started it.

hash=@HASH@
tools=/usr/local/bin:/usr/bin:/bin

fail() {
  printf 'barge: %s\n' "$1" >&2
  exit 7
}

# Without a home there is only the shared temporary directory, where another user may have been
# first: what is not ours alone is refused.
shared_base() (
  PATH=$tools
  base=${TMPDIR:-/tmp}/barge-$(id -u)
  [ -d "$base" ] || mkdir -m 700 "$base" 2>/dev/null
  [ ! -L "$base" ] && [ -O "$base" ] || fail "cannot use $base: it is not a folder of yours; set XDG_CACHE_HOME to one"
  case $(ls -ld "$base") in
    drwx------*) printf %s "$base" ;;
    *) fail "cannot use $base: others may write or read there; remove it" ;;
  esac
)

unpack() (
  PATH=$tools
  umask 077
  mkdir -p "$base" 2>/dev/null
  [ -d "$base" ] && [ -w "$base" ] ||
    fail "cannot unpack into $base: it cannot be written; set XDG_CACHE_HOME to a folder that can"

  # One start unpacks while the others wait. The lock goes with the process that holds it, so that
  # a killed start blocks nobody, and what it left half-unpacked is removed by the next.
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
  # Synced before the rename: a power cut must not leave an empty runtime under the final name.
  find "$new" -type f -exec sync {} +
  # Where there is no flock, another start may have won; its copy is as good.
  mv -T "$new" "$dir" 2>/dev/null || rm -rf "$new"
)

case ${XDG_CACHE_HOME:-} in
  /*) base=$XDG_CACHE_HOME/barge ;;
  *) base=${HOME:+$HOME/.cache/barge} ;;
esac
[ -n "$base" ] || base=$(shared_base) || exit
dir=$base/$hash

[ -x "$dir/barge" ] || unpack || exit
[ -x "$dir/barge" ] ||
  fail "cannot run programs in $base: is it mounted noexec? set XDG_CACHE_HOME to another folder"

# What is over at once has the whole of its modules compiled, and so in the cache; a server, which
# would keep in memory what it never calls, has not. Code of the one is of no use to the other.
case ${1:-} in
  serve) kind=server heap=@SERVER@ ;;
  *) kind=client heap=@CLIENT@ ;;
esac

# DENO_DIR keeps the runtime's own cache in ours; DENO_NODE_SHIM_ACTIVE keeps it from adding a
# folder to PATH.
export DENO_DIR="$dir/cache/$kind" DENO_NO_UPDATE_CHECK=1 DENO_NODE_SHIM_ACTIVE=1
exec "$dir/barge" @RUN@ "$heap" "$dir/program/main.js" "$@"
