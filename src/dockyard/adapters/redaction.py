"""Owns taking credentials out of addresses and of texts that others wrote about them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote, unquote

_USERINFO = re.compile(r"//[^/\s'\"]*@")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_MASK = "***"
_SHORTEST = 4
"""A shorter password would blank out ordinary words, and its place in an address is masked anyway."""


def strip_credentials(uri: str) -> str:
    """Return an address without user, password, query and fragment; anything else, such as a path, as it is."""
    scheme = _SCHEME.match(uri)
    if scheme is None:
        return uri
    authority, slash, path = re.split(r"[?#]", uri[scheme.end() :], maxsplit=1)[0].partition("/")
    return scheme[0] + authority.rpartition("@")[2] + slash + path


class Redactor:
    """Takes known secrets, and whatever stands where an address has its password, out of texts."""

    def __init__(self, uris: Iterable[str] = (), secrets: Iterable[str] = ()) -> None:
        found = [*secrets, *(secret for uri in uris for secret in _find_secrets(uri))]
        spellings = {spelling for one in found for spelling in (one, unquote(one), quote(one, safe=""))}
        self._secrets = sorted((one for one in spellings if len(one) >= _SHORTEST), key=len, reverse=True)

    def redact(self, text: str) -> str:
        """Return the text without them."""
        for secret in self._secrets:
            text = text.replace(secret, _MASK)
        return _USERINFO.sub(f"//{_MASK}@", text)

    def is_clean(self, text: str) -> bool:
        """Whether there is nothing to take out."""
        return self.redact(text) == text


def _find_secrets(uri: str) -> list[str]:
    userinfo = uri.partition("//")[2].partition("/")[0].rpartition("@")[0]
    password = userinfo.partition(":")[2]
    query = uri.partition("?")[2]
    return [one for one in (password, *(pair.partition("=")[2] for pair in query.split("&"))) if one]
