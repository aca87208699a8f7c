# What the lab changes on this machine outside its own folders. Each thing is remembered before the first change, and taken
# back when the last part that needs it goes down: engine and cluster share some of it, and either may go first.
# Packages that apt installed, and module and build caches of Go, stay.
borrowed=$LAB_STATE/borrowed

# need_packages PACKAGE...: install those Debian packages that are missing, without letting them start daemons.
need_packages() {
  local package missing=() policy=/usr/sbin/policy-rc.d mine=
  for package; do
    dpkg-query -Wf '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
  done
  [ ${#missing[@]} != 0 ] || return 0
  say "installing ${missing[*]}"
  # Packages that would start a daemon of their own must not: the lab starts its own. 101 means "not allowed".
  [ -e $policy ] || { printf '#!/bin/sh\nexit 101\n' >$policy && chmod +x $policy && mine=1; }
  local result=0
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } \
    >"$STATE/log/apt.log" 2>&1 || result=$?
  [ -z "$mine" ] || rm $policy
  [ $result = 0 ] || { tail -n 20 "$STATE/log/apt.log" >&2; die "apt failed"; }
}

# packages_of FILE...: the packages that these lists name.
packages_of() { sed 's/ *#.*//; /^$/d' "$@" | sort -u; }

# borrow_machine WHO: before WHO changes anything.
borrow_machine() {
  mkdir -p "$borrowed/by"
  [ -e "$borrowed/tables" ] || nft list tables >"$borrowed/tables" 2>/dev/null || true
  : >"$borrowed/by/$1"
}

# borrow_settings KEY...: kernel settings that are about to be changed. Those that this kernel lacks are passed over.
borrow_settings() {
  local key
  for key; do
    [ ! -e "/proc/sys/${key//.//}" ] || grep -qs "^$key=" "$borrowed/settings" || echo "$key=$(sysctl -n "$key")" >>"$borrowed/settings"
  done
}

# borrow_places PATH...: folders that programs insist on making. What is there already is not ours.
borrow_places() {
  local place
  for place; do [ -e "$place" ] || echo "$place" >>"$borrowed/places"; done
}

# return_machine WHO: WHO has gone down. The last one takes all back.
return_machine() {
  local line
  rm -f "$borrowed/by/$1"
  [ -d "$borrowed" ] && [ -z "$(ls "$borrowed/by")" ] || return 0
  if [ -e "$borrowed/settings" ]; then
    while read -r line; do
      # Some cannot be set at all in a network namespace; those have not changed either.
      [ "$(sysctl -n "${line%%=*}")" = "${line#*=}" ] || sysctl -qw "$line" || say "cannot set back $line"
    done <"$borrowed/settings"
  fi
  if [ -e "$borrowed/places" ]; then xargs -d '\n' rm -rf <"$borrowed/places"; fi
  # iptables makes its tables and leaves them behind when they are empty.
  for line in filter nat mangle; do
    grep -qsx "table ip $line" "$borrowed/tables" || iptables -t $line -S 2>/dev/null | grep -vqxE -- '-P [A-Z]+ ACCEPT' ||
      nft delete table ip $line 2>/dev/null || true
  done
  rm -rf "$borrowed"
}

# drop_rules TABLE PATTERN: delete iptables rules that match.
drop_rules() {
  { iptables -t "$1" -S 2>/dev/null | grep -E -- "$2" || true; } | sed 's/^-A/-D/' | xargs -r -L1 iptables -t "$1"
}

# drop_chains TABLE PATTERN: delete iptables chains whose name matches. They may refer to each other: all are emptied first.
drop_chains() {
  local chain chains
  chains=$(iptables -t "$1" -S 2>/dev/null | awk -v pattern="$2" '$1 == "-N" && $2 ~ pattern {print $2}')
  for chain in $chains; do iptables -t "$1" -F "$chain"; done
  for chain in $chains; do iptables -t "$1" -X "$chain"; done
}
