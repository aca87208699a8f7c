"""Owns finding what looks like a secret in objects that are to be written into files. Pure; never shows what it found.

Names of variables count as well as well-known forms of keys: a password has no form of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from dockyard.domain.errors import UsageError

_FORMS = re.compile(
    r"""-----BEGIN\ [A-Z ]*PRIVATE\ KEY-----
    | \b(?:AKIA|ASIA)[0-9A-Z]{16}\b
    | \bgh[pousr]_[0-9A-Za-z]{36,}
    | \bgithub_pat_[0-9A-Za-z_]{22,}
    | \bglpat-[0-9A-Za-z_-]{20,}
    | \bxox[abeprs]-[0-9A-Za-z-]{10,}
    | \bhf_[0-9A-Za-z]{30,}
    | \bsk-[0-9A-Za-z_-]{20,}
    | \beyJ[0-9A-Za-z_-]{8,}\.eyJ[0-9A-Za-z_-]{8,}\.
    | ://[^/\s:@"]*:[^/\s@"]+@""",
    re.VERBOSE,
)
_NAME = re.compile(
    r"(?:^|_)(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|ACCESS_KEY|PRIVATE_KEY|CREDENTIALS?)(?:_ID)?$", re.IGNORECASE
)


def refuse_secrets(objects: Iterable[Mapping[str, object]], *, hint: str) -> None:
    """Raise UsageError `secret-found` where an object holds what looks like one; the error says where, and how to mend it."""
    for item in objects:
        for place in _find(item, ""):
            raise UsageError(
                "secret-found",
                f"{item.get('kind', 'values')} {place} looks like a secret, and what is rendered is there to be committed",
                hint=hint,
            )


def _find(value: object, path: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        if path == "" and value.get("kind") == "Secret":
            yield "as a whole"
        if _is_secret_variable(value):
            yield f"variable {value['name']}"
        for name, one in value.items():
            yield from _find(one, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list | tuple):
        for number, one in enumerate(value):
            yield from _find(one, f"{path}[{number}]")
    elif isinstance(value, str) and _FORMS.search(value):
        yield path


def _is_secret_variable(value: Mapping[str, object]) -> bool:
    """Whether it is `{name, value}` of a container with a name that secrets have."""
    name, text = value.get("name"), value.get("value")
    return isinstance(name, str) and isinstance(text, str) and text != "" and _NAME.search(name) is not None
