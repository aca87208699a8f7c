# What comes from outside besides this machine's own packages: other suites' packages, sources, and Go. Nothing of it is installed.
# Before this is read: LAB_CACHE and versions.env.

# The archive that this machine's own apt uses, so that no host name stands in these files.
debian_archive() {
  apt-get indextargets --format '$(REPO_URI)' "Identifier: Packages" "Codename: $(. /etc/os-release && echo "$VERSION_CODENAME")" | head -n 1
}

# fetch_debian deb|deb-src SUITE FOLDER COMMAND...: what a command of apt-get downloads from that suite, into an empty folder.
fetch_debian() {
  local kind=$1 suite=$2 folder=$3 apt=$LAB_CACHE/apt-$2; shift 3
  rm -rf "$folder" "$apt"
  mkdir -p "$folder" "$apt"/{lists,cache}
  echo "$kind [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(debian_archive) $suite main" >"$apt/sources.list"
  local options=(-qq -o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt/cache" -o "Dir::Etc::SourceList=$apt/sources.list"
    -o Dir::Etc::SourceParts=/dev/null -o Acquire::Languages=none -o APT::Sandbox::User=root
    -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false)
  apt-get "${options[@]}" update
  (cd "$folder" && apt-get "${options[@]}" "$@")
  rm -rf "$apt"
}

# debs SUITE FOLDER PACKAGE...: unpack a suite's packages, without their dependencies, into a folder.
debs() {
  local suite=$1 folder=$2 deb; shift 2
  mkdir -p "$folder"
  fetch_debian deb "$suite" "$LAB_CACHE/debs" download "$@"
  for deb in "$LAB_CACHE"/debs/*.deb; do dpkg-deb -x "$deb" "$folder"; done
  rm -rf "$LAB_CACHE/debs"
}

go_is_right() { [ "$(go version 2>/dev/null | cut -d ' ' -f 3)" = "go$LAB_GO" ]; }

# need_go: `go` is Go $LAB_GO from here on. Any Go since 1.21 brings another version of itself as a module, if it is not that one
# already. Where there is none, Debian's does.
need_go() {
  local home=$LAB_CACHE/$LAB_GO_BOOTSTRAP
  export GOTOOLCHAIN=go$LAB_GO
  ! go_is_right || return 0
  [ -d "$home" ] || {
    say "fetching $LAB_GO_BOOTSTRAP and Go $LAB_GO"
    rm -rf "$home.new"
    debs "$LAB_SUITE_GO" "$home.new" "$LAB_GO_BOOTSTRAP"
    mv "$home.new" "$home"
  }
  # An older one that is in the way would win otherwise.
  PATH=$(dirname "$(echo "$home"/usr/lib/go-*/bin/go)"):$PATH
  go_is_right || { go version >&2 || true; die "no Go $LAB_GO"; }
}
