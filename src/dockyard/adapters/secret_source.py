"""Owns the look-up of secrets that the configuration refers to. Must not keep or show them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dockyard.domain.errors import UsageError
from dockyard.domain.secret import Secret
from dockyard.domain.settings import SecretRef

_MAX_BYTES = 64 * 1024


def read_secret(reference: SecretRef, environ: Mapping[str, str]) -> Secret:
    """Return the secret that a reference names.

    Raises UsageError `secret-unavailable`.
    """
    if reference.file is not None:
        return Secret(_read_file(Path(reference.file)))
    value = environ.get(reference.env or "")
    if not value:
        raise _unavailable(f"the environment variable {reference.env}, which the configuration refers to, is not set")
    return Secret(value)


def reveal_text(value: str | SecretRef, environ: Mapping[str, str]) -> str:
    """Return the text itself where it is one, the secret's value where it is a reference."""
    return value if isinstance(value, str) else read_secret(value, environ).reveal()


def _read_file(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return stream.read(_MAX_BYTES).decode("utf-8").rstrip("\r\n")
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise _unavailable(f"the secret file `{file}`, which the configuration refers to: {reason}") from error
    except ValueError as error:
        raise _unavailable(f"the secret file `{file}` is not UTF-8 text") from error


def _unavailable(message: str) -> UsageError:
    return UsageError("secret-unavailable", message, hint="set the variable or write the file, or change the reference")
