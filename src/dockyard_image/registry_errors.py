"""What a registry's refusal means to the user.

Owns the translation of statuses and of the distribution API's error codes. Must not send anything. A registry's own text is
shown shortened, and never a header or an address with a query.
"""

from __future__ import annotations

import json

from dockyard_image.errors import RegistryError
from dockyard_image.retry import TransientError

_LONGEST = 300


def explain_refusal(host: str, what: str, status: int, body: bytes) -> RegistryError:
    """The error for an answer that is not a success."""
    codes, text = _read_errors(body)
    said = f" ({text})" if text else ""
    if status == 401:
        return refused_credentials(host, has_credentials=True)
    if status == 404 and codes & {"NAME_UNKNOWN", "NAME_INVALID"}:
        hint = f"Check the name; some registries want a repository to be created first. {host} keeps it under that name."
        return RegistryError("repository-not-found", f"{host} has no repository for {what}{said}", hint)
    if status == 404:
        return not_found(host, what)
    if codes & {"MANIFEST_INVALID", "MANIFEST_BLOB_UNKNOWN"}:
        hint = "Try the other media types: some registries and services take only Docker's, or only OCI's."
        return RegistryError("manifest-invalid", f"{host} does not accept the manifest of {what}{said}", hint)
    return RegistryError(
        "registry-refused",
        f"{host} refused {what} with status {status}{said}",
        "Check that the user may do this there, and that the repository takes new tags.",
    )


def refused_credentials(host: str, *, has_credentials: bool) -> RegistryError:
    """The error for a registry that does not know the user."""
    message = f"{host} refused the credentials" if has_credentials else f"{host} wants credentials, and none are set for it"
    return RegistryError("registry-credentials-refused", message, f"Log in with `docker login {host}`, or set credentials.")


def not_found(host: str, what: str) -> RegistryError:
    """The error for an image or a blob that is not there."""
    return RegistryError("image-not-found", f"{host} does not have {what}", "Check the name, the tag and the digest.")


def unreachable(host: str, error: TransientError | Exception) -> RegistryError:
    """The error for a registry that gives no answer, or not the one it owes, after all tries."""
    hint = "Check the address and the network. Registries without TLS must be named as insecure, loopback ones excepted."
    return RegistryError("registry-unreachable", f"{host} cannot be reached: {error}", hint)


def _read_errors(body: bytes) -> tuple[set[str], str]:
    try:
        errors = json.loads(body)["errors"]
        entries = [(str(entry.get("code", "")), str(entry.get("message", ""))) for entry in errors]
    except (ValueError, KeyError, TypeError, AttributeError):
        return set(), ""
    text = "; ".join(f"{code}: {message}" if message else code for code, message in entries)
    printable = "".join(character for character in text if character.isprintable())
    return {code for code, _ in entries}, printable[:_LONGEST]
