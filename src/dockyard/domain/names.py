"""Owns names: which names deployments and environments may have, and the legal names that targets get for them.

Derived names are deterministic and collision-proof: a name that had to be changed ends in a hash of the original, so two
originals never meet in one derived name.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from dockyard.domain.errors import UsageError

NAME_PATTERN = r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
_NAME = re.compile(NAME_PATTERN)
_HASH_LENGTH = 8
_DERIVED = re.compile(r"-[0-9a-f]{8}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class NameRule:
    """What a target takes as a name: an expression for the whole, and the longest it may be."""

    target: str
    pattern: re.Pattern[str]
    max_length: int
    starts_with_letter: bool = False
    lower_case: bool = False


DOCKER_CONTAINER = NameRule(target="docker", pattern=re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+"), max_length=200)
IMAGE_REPOSITORY = NameRule(
    target="image", pattern=re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"), max_length=128, lower_case=True
)
KUBERNETES_LABEL = NameRule(
    target="k8s",
    pattern=re.compile(r"[a-z](?:[-a-z0-9]*[a-z0-9])?"),
    max_length=63,
    starts_with_letter=True,
    lower_case=True,
)
SAGEMAKER_ENDPOINT = NameRule(
    target="sagemaker", pattern=re.compile(r"[a-z0-9](?:-?[a-z0-9])*"), max_length=54, lower_case=True
)
"""Lower case, because the service takes names that differ in case only for one; nine characters short of the service's 63, so
that names of what belongs to an endpoint have room."""
MLFLOW_ALIAS = NameRule(target="alias", pattern=re.compile(r"(?!(?:[vV][0-9]+|latest)$)[A-Za-z0-9_-]+"), max_length=255)

NAME_RULES = (DOCKER_CONTAINER, IMAGE_REPOSITORY, KUBERNETES_LABEL, SAGEMAKER_ENDPOINT, MLFLOW_ALIAS)


def check_name(kind: str, name: str) -> str:
    """Return the name of a deployment or environment (`kind` says which) if it is one.

    Letters, digits, `_` and `-`, at most 63, beginning and ending with a letter or digit: a dot would be ambiguous in the
    record's tag key `dockyard.<environment>.<deployment>`. Raises UsageError `name-invalid`.
    """
    if _NAME.fullmatch(name):
        return name
    shown = name if len(name) <= 80 and name.isprintable() else ascii(name[:80]) + "…"
    raise UsageError(
        "name-invalid",
        f"`{shown}` is not a valid {kind} name",
        hint="use 1 to 63 letters, digits, `_` and `-`, beginning and ending with a letter or a digit",
    )


def derive_deployment_name(model_name: str) -> str:
    """Make a deployment name of a model's name; the same name where it is legal already."""
    if _NAME.fullmatch(model_name):
        return model_name
    return _shorten(re.sub(r"[^A-Za-z0-9_-]+", "-", model_name), model_name, max_length=63)


def derive_name(rule: NameRule, name: str) -> str:
    """Make a name that the rule's target takes; the same name where it is legal already.

    A legal name that ends like a derived one is changed as well: it could be what another name was changed to.
    """
    if len(name) <= rule.max_length and rule.pattern.fullmatch(name) and not _DERIVED.search(name):
        return name
    cleaned = re.sub(r"[^A-Za-z0-9]+", "-", name)
    if rule.lower_case:
        cleaned = cleaned.lower()
    if rule.starts_with_letter:
        cleaned = cleaned.lstrip("-0123456789")
    return _shorten(cleaned, name, max_length=rule.max_length)


def _shorten(cleaned: str, original: str, *, max_length: int) -> str:
    digest = hashlib.sha256(original.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_LENGTH]
    kept = cleaned[: max_length - _HASH_LENGTH - 1].strip("-_") or "model"
    return f"{kept}-{digest}"
