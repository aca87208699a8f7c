"""Knows what a line of the repository must not tell: addresses of package registries, paths of a machine, secrets.

Owns the patterns. They are put together from parts, so that this file may be checked by them. A message never repeats what
was found: a finding in a log must not be a second leak.
"""

from __future__ import annotations

import itertools
import math
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

# Hosts that packages are fetched from. A page about a package (…/project/name) is a link like any other.
REGISTRIES = (
    "files.python" + "hosted.org",
    "pypi" + ".org/simple",
    "registry.np" + "mjs.org",
    "registry.ya" + "rnpkg.com",
    "proxy.go" + "lang.org",
    "sum.go" + "lang.org",
    "index.cr" + "ates.io",
    "static.cr" + "ates.io",
    "conda.ana" + "conda.org",
    "deb.deb" + "ian.org",
    "security.deb" + "ian.org",
    "archive.ub" + "untu.com",
)
INDEX_VARIABLES = (
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "UV_INDEX_URL",
    "UV_DEFAULT_INDEX",
    "UV_INDEX",
    "GOPROXY",
    "NPM_CONFIG_REGISTRY",
    "npm_config_registry",
)
PIP_SETTINGS = ("/etc/pip.conf", "~/.config/pip/pip.conf", "~/.pip/pip.conf")

# Names that RFC 2606 and RFC 6761 keep for documentation and tests, and this machine's own loopback.
RESERVED_HOST = re.compile(r"(^|\.)(example(\.(com|org|net))?|invalid|test|localhost)$|^127\.|^\[?::1")
ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://(?:[^/\s@\"']*@)?([^/\s\"'>)\]]+)", re.IGNORECASE)
INDEX_OPTION = re.compile(r"--?(?:(?:extra-)?index-url|find-links|default-index)\b[\s=\"',]+\S*://")
LOCK_FILE = re.compile(
    r"(^|/)(requirements[^/]*\.txt|requirements/[^/]+\.txt|pylock[^/]*\.toml|package-lock\.json|[^/]*\.lock)$"
)

NOT_INSIDE_A_PATH = r"(?<![\w.}/$-])"
PLACEHOLDER_HOMES = "app|dockyard|nonroot|user|you"
# Folders that images and systems have too: a checkout inside one does not make it a path of that machine.
SHARED_FOLDERS = frozenset({"/", "/app", "/data", "/home", "/mnt", "/opt", "/repo", "/srv", "/src", "/tmp", "/usr", "/var"})  # noqa: S108

EXCUSE = re.compile(r"not a secret: \S")
SECRETS = (
    (re.compile(r"\b(?:AK|AS)IA[0-9A-Z]{16}\b"), "an AWS access key id"),
    (re.compile(r"-----BEGIN [A-Z ]*PRIV" + r"ATE KEY"), "a private key"),
    (re.compile(r"\bgh[pousr]_\w{36}|\bgithub_pat_\w{40}"), "a GitHub token"),
    (re.compile(r"\bxox[abposr]-[\w-]{10}"), "a Slack token"),
    (re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\."), "a JSON web token"),
)
ASSIGNMENT = re.compile(
    r"(?:secret|passw(?:or)?d|token|api[_-]?key|access[_-]?key|credential)[\w.-]*[\"']?\s*[:=]+\s*[\"']?"
    r"(?P<value>[\w+/=.!@#%^&*~-]{12,})[\"',;]?(?:\s|$|\))",
    re.IGNORECASE,
)
ADDRESS_PASSWORD = re.compile(r"://[^/\s:@]*:(?P<value>[^/\s@]{12,})@")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What gives a machine away: the hosts its packages come from and the folders people work in."""

    index_hosts: frozenset[str]
    folders: frozenset[str]


def describe_machine(root: Path, environment: Mapping[str, str] = os.environ) -> Machine:
    """Read what would give this machine away; nothing of it is ever printed."""
    settings = [environment[name] for name in INDEX_VARIABLES if name in environment]
    files = [Path(name).expanduser() for name in PIP_SETTINGS]
    settings += [file.read_text(encoding="utf-8", errors="replace") for file in files if file.is_file()]
    checkout = root.resolve()
    folders = {checkout.as_posix(), checkout.parent.as_posix(), Path.home().as_posix()}
    return Machine(index_hosts=frozenset(find_hosts(settings)), folders=frozenset(folders - SHARED_FOLDERS))


def find_hosts(settings: Iterable[str]) -> Iterator[str]:
    """Yield the hosts of all addresses in the settings. Loopback is every machine's: it tells something with its port only."""
    for host in itertools.chain.from_iterable(map(ADDRESS.findall, settings)):
        name, _, port = host.partition(":")
        if not RESERVED_HOST.search(name):
            yield name
        elif port:
            yield host


def find_leaks(path: str, line: str, machine: Machine) -> Iterator[str]:
    """Yield what the line of the file at `path` should not tell."""
    if names_registry(path, line, machine):
        yield "address of a package registry"
    if names_folder(line, machine):
        yield "path of somebody's machine"
    if not EXCUSE.search(line):
        yield from find_secrets(line)


def names_registry(path: str, line: str, machine: Machine) -> bool:
    """Tell whether the line says where packages come from. A lock file may name no address at all."""
    addresses = (host for host in ADDRESS.findall(line) if not RESERVED_HOST.search(host.partition(":")[0]))
    if any(addresses) and (LOCK_FILE.search(path) or INDEX_OPTION.search(line)):
        return True
    return any(host in line for host in REGISTRIES) or any(names_host(line, host) for host in machine.index_hosts)


def names_host(line: str, host: str) -> bool:
    """Tell whether the line names the host; one without a dot is also an ordinary word, so only inside an address."""
    before = r"(?<![\w.-])" if "." in host else r"(?://|@)"
    return re.search(rf"{before}{re.escape(host)}(?![\w.-])", line) is not None


def names_folder(line: str, machine: Machine) -> bool:
    """Tell whether the line has a path that exists on one machine only."""
    folders = [re.escape(folder) for folder in sorted(machine.folders)]
    folders += ["/" + "root", f"/home/(?!(?:{PLACEHOLDER_HOMES})/)[a-z][\\w.-]*", r"/Users/[A-Za-z][\w.-]*"]
    temporary = r"/tmp/(?:tmp[\w.]{6,}|pytest-of-)"  # noqa: S108
    return re.search(rf"{NOT_INSIDE_A_PATH}(?:(?:{'|'.join(folders)})/|{temporary})", line) is not None


def find_secrets(line: str) -> Iterator[str]:
    """Yield what kinds of secret the line seems to hold."""
    for pattern, kind in SECRETS:
        if pattern.search(line):
            yield f"looks like {kind}"
    values = [match["value"] for pattern in (ASSIGNMENT, ADDRESS_PASSWORD) for match in pattern.finditer(line)]
    if any(is_random(value) for value in values):
        yield "looks like a secret; if it is none, say so: `# not a secret: reason`"


def is_random(value: str) -> bool:
    """Tell whether a value looks drawn by a generator: many different characters, cases and digits mixed."""
    letters = {character for character in value if character.isalpha()}
    has_digit = any(character.isdigit() for character in value)
    is_mixed = any(map(str.isupper, letters)) and any(map(str.islower, letters))
    kinds = [character.isdigit() for character in value if character.isalnum()]
    switches = sum(one != other for one, other in itertools.pairwise(kinds))
    return has_digit and bool(letters) and (is_mixed or switches >= 4) and measure_entropy(value) >= 3.5


def measure_entropy(value: str) -> float:
    """Return Shannon's entropy in bits a character."""
    return -sum(count / len(value) * math.log2(count / len(value)) for count in Counter(value).values())
