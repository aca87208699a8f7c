# How a daemon is started, found again, waited for and stopped. Shared by every script of the lab.
# Before this is read: LAB_STATE and LAB_CACHE. After it: PART (who speaks) and STATE (whose run/ and log/ the daemons use).
set -euo pipefail

# In the lab's own folder, so that a script that is killed leaves nothing elsewhere: `lab down` empties it.
export TMPDIR=$LAB_STATE/tmp
mkdir -p "$TMPDIR"

say() { printf '%s: %s\n' "$PART" "$*" >&2; }
die() { say "$*"; exit 1; }
not() { ! "$@"; }

# The longest path of a socket that a daemon makes in there must stay below 105 characters.
[ ${#LAB_STATE} -le 60 ] || { PART=lab; die "LAB_STATE is longer than 60 characters: $LAB_STATE"; }

# until_ok SECONDS COMMAND...: run the command until it succeeds.
until_ok() {
  local end=$((SECONDS + $1)); shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < end)) || return 1
    sleep 0.2
  done
}

# lock: one script of a part at a time. Daemons must not inherit the lock: launch closes it.
lock() {
  mkdir -p "$STATE"/{run,log}
  exec 9>"$STATE/lock"
  flock 9
}

# A pid alone may be another process's by now, so a pid file also holds the time its process started. A zombie has none:
# not every first process collects those.
start_time() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | awk '$1 != "Z" {print $20}'; }

running() {
  local pid started
  [ -s "$STATE/run/$1.pid" ] && read -r pid started <"$STATE/run/$1.pid" && [ "$(start_time "$pid")" = "$started" ]
}

# launch NAME COMMAND...: start a daemon in a session of its own, so that it outlives this script. No-op while it runs.
launch() {
  local name=$1; shift
  running "$name" && return
  setsid "$@" >"$STATE/log/$name.log" 2>&1 </dev/null 9>&- &
  echo "$! $(start_time $!)" >"$STATE/run/$name.pid"
}

# halt NAME [SECONDS]: end a daemon that launch started.
halt() {
  local pid
  if running "$1"; then
    read -r pid _ <"$STATE/run/$1.pid"
    kill "$pid"
    if ! until_ok "${2:-10}" not running "$1"; then
      say "$1 ($pid) does not end: killing it"
      kill -9 "$pid"
      until_ok 5 not running "$1" || die "$1 ($pid) cannot be killed"
    fi
  fi
  rm -f "$STATE/run/$1.pid"
}

give_up() { tail -n 25 "$STATE/log/$1.log" >&2; die "$1 is not ready (all of its log: $STATE/log/$1.log)"; }

# `wait_for NAME SECONDS COMMAND...`: until the command succeeds; a daemon that has died fails at once.
wait_for() {
  local name=$1 end=$((SECONDS + $2)); shift 2
  until "$@" >/dev/null 2>&1; do
    running "$name" && ((SECONDS < end)) || give_up "$name"
    sleep 0.2
  done
}
