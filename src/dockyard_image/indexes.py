"""Where packages come from: the user's own uv and pip settings, handed to uv and to the wheel fetcher.

Owns the translation of pip's settings into uv's (uv does not read them) and the credentials of package indexes. A setting
made for uv wins over pip's. Must not contact anything, and must not let an address into a lock or an image.
"""

from __future__ import annotations

import configparser
import netrc
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from dockyard_image.digest import digest_fields

_FROM_PIP = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "cert": "SSL_CERT_FILE",
    "trusted-host": "UV_INSECURE_HOST",
}
_SYNONYMS = {"UV_DEFAULT_INDEX": "UV_INDEX_URL", "UV_INDEX": "UV_EXTRA_INDEX_URL"}
_ADDRESSES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")
_FALSE = frozenset({"", "0", "false", "no", "off", "n", "f"})


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexSettings:
    """The environment that uv runs in, and the flags for which it has no variable."""

    environment: Mapping[str, str]
    flags: tuple[str, ...]
    credentials: Mapping[str, tuple[str, str]]

    @property
    def digest(self) -> str:
        """Names these settings in the lock cache's key, so that another index never answers from this one's locks."""
        relevant = {key: value for key, value in self.environment.items() if key.startswith("UV_")}
        return digest_fields({"environment": relevant, "flags": list(self.flags)})

    def credentials_for(self, host: str) -> tuple[str, str] | None:
        """User and password for a package host (with its port, where it has one), or None."""
        return self.credentials.get(host)

    def __repr__(self) -> str:
        return "IndexSettings(***)"  # addresses may hold passwords


def read_index_settings(environ: Mapping[str, str], home: Path) -> IndexSettings:
    """The settings in force for a user: environment, then pip's files, unless the user has a configuration for uv."""
    pip = {} if _has_uv_config(environ, home) else _read_pip_files(environ, home)
    pip |= {_key(name[4:]): value for name, value in environ.items() if name.startswith("PIP_")}
    environment = dict(environ)
    for option, variable in _FROM_PIP.items():
        value = _uv_value(option, pip.get(option, ""), home)
        if value and variable not in environ and _SYNONYMS.get(variable, variable) not in environ:
            environment[variable] = value
    no_index = [environ.get("UV_NO_INDEX", ""), pip.get("no-index", "")]
    flags = ("--no-index",) if any(text.lower() not in _FALSE for text in no_index) else ()
    return IndexSettings(environment=environment, flags=flags, credentials=dict(_find_credentials(environment, home)))


def _uv_value(option: str, value: str, home: Path) -> str:
    """pip separates by white space; uv takes commas for links, and fails on a folder that is not there."""
    parts = value.split()
    if option == "find-links":
        return ",".join(part for part in parts if "://" in part or _expand(part, home).exists())
    return " ".join(parts)


def _expand(text: str, home: Path) -> Path:
    return home / text[2:] if text.startswith("~/") else Path(text)


def _has_uv_config(environ: Mapping[str, str], home: Path) -> bool:
    folder = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    files = (folder / "uv" / "uv.toml", Path("/etc/uv/uv.toml"))
    return bool(environ.get("UV_CONFIG_FILE")) or any(file.is_file() for file in files)


def _read_pip_files(environ: Mapping[str, str], home: Path) -> dict[str, str]:
    """pip's files from the least to the most specific; `[install]` wins over `[global]`."""
    folder = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    files = [Path("/etc/pip.conf"), home / ".pip" / "pip.conf", folder / "pip" / "pip.conf"]
    files += [Path(environ["VIRTUAL_ENV"]) / "pip.conf"] if environ.get("VIRTUAL_ENV") else []
    files += [Path(environ["PIP_CONFIG_FILE"])] if environ.get("PIP_CONFIG_FILE") else []
    settings: dict[str, str] = {}
    for file in files:
        parser = configparser.RawConfigParser()
        try:
            parser.read(file, "utf-8")
        except (configparser.Error, UnicodeDecodeError):
            continue  # pip itself will complain; a broken file must not break a build that does not need it
        for section in ("global", "install"):
            if parser.has_section(section):
                settings |= {_key(name): value for name, value in parser.items(section)}
    return settings


def _key(name: str) -> str:
    return name.lower().replace("_", "-")


def _find_credentials(environment: Mapping[str, str], home: Path) -> Iterator[tuple[str, tuple[str, str]]]:
    yield from _read_netrc(Path(environment.get("NETRC") or home / ".netrc"))
    for variable in _ADDRESSES:
        for entry in environment.get(variable, "").replace(",", " ").split():
            name, address = _split_named(entry)
            parts = urlsplit(address)
            prefix = f"UV_INDEX_{re.sub('[^A-Za-z0-9]', '_', name).upper()}_"
            user = environment.get(prefix + "USERNAME") or unquote(parts.username or "")
            password = environment.get(prefix + "PASSWORD") or unquote(parts.password or "")
            if parts.hostname and (user or password):
                yield parts.netloc.rpartition("@")[2], (user, password)


def _split_named(entry: str) -> tuple[str, str]:
    """uv's `name=address`; an `=` after the scheme belongs to the address."""
    name, equals, address = entry.partition("=")
    return (name, address) if equals and "://" not in name else ("", entry)


def _read_netrc(path: Path) -> Iterator[tuple[str, tuple[str, str]]]:
    try:
        hosts = netrc.netrc(str(path)).hosts
    except (OSError, netrc.NetrcParseError):
        return
    for host, (login, _, password) in hosts.items():
        yield host, (login or "", password or "")
