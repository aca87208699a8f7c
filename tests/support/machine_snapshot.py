"""What daemons can leave behind on this machine, as lines: processes, mounts, links, firewall rules, kernel settings, files.

Owns the list of places that are looked at. Must not change anything. Run as a program it prints the snapshot as JSON:
`python machine_snapshot.py`, so that it can be taken inside namespaces of another process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

Snapshot = dict[str, list[str]]

SETTINGS = (
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
    "net/bridge/bridge-nf-call-iptables",
    "net/bridge/bridge-nf-call-ip6tables",
    "net/ipv4/ip_forward",
    "net/ipv4/conf/all/forwarding",
    "net/ipv4/conf/all/route_localnet",
    "net/ipv6/conf/all/forwarding",
    "net/netfilter/nf_conntrack_max",
    "net/netfilter/nf_conntrack_tcp_timeout_established",
    "net/netfilter/nf_conntrack_tcp_timeout_close_wait",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
)
FOLDERS = ("/run", "/run/lock", "/dev/shm", "/opt", "/var/lib", "/var/log", "/etc")  # noqa: S108 - looked at, not written to
# `mount` keeps its table of user mounts there, whoever calls it.
NOT_OURS = {"/run/mount"}


def list_processes() -> list[str]:
    """Names of all processes but this one and the zombies, which only wait for a parent."""
    names = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            name, _, rest = (folder / "stat").read_text().partition("(")[2].rpartition(")")
        except OSError:  # it has ended by now
            continue
        if rest.split()[0] != "Z" and int(folder.name) != os.getpid():
            names.append(name)
    return sorted(names)


def list_settings() -> list[str]:
    paths = [Path("/proc/sys", name) for name in SETTINGS]
    return [f"{path}={path.read_text().strip()}" for path in paths if path.exists()]


def list_files() -> list[str]:
    found = {str(path) for folder in FOLDERS if Path(folder).is_dir() for path in Path(folder).iterdir()}
    return sorted(found - NOT_OURS)


def list_control_groups() -> list[str]:
    return sorted(str(path) for path in Path("/sys/fs/cgroup").glob("**/") if path.name not in {"", "init"})


def list_output(*command: str) -> list[str]:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def take_snapshot() -> Snapshot:
    """The machine as it is now. Needs root for the firewall's rules."""
    return {
        "processes": list_processes(),
        "mounts": sorted(" ".join(line.split()[:3]) for line in Path("/proc/mounts").read_text().splitlines()),
        "links": sorted(line.split()[0] for line in list_output("ip", "-br", "link")),
        "addresses": sorted(line.split(maxsplit=1)[0] for line in list_output("ip", "-br", "address")),
        "routes": sorted(list_output("ip", "route")),
        "rules": list_output("nft", "--stateless", "list", "ruleset"),
        "settings": list_settings(),
        "files": list_files(),
        "control groups": list_control_groups(),
    }


def compare_snapshots(before: Snapshot, after: Snapshot) -> list[str]:
    """One line for each thing that is there more often (+) or less often (-) than before."""
    changes = []
    for kind, lines in after.items():
        old = before[kind]
        for line in sorted({*lines, *old}):
            difference = lines.count(line) - old.count(line)
            if difference:
                changes.append(f"{kind}: {'+' if difference > 0 else '-'} {line}")
    return changes


if __name__ == "__main__":
    json.dump(take_snapshot(), sys.stdout)
