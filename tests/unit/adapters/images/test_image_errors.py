"""What the builder's errors become: a code of our catalogue, the right family, the same words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import dockyard_image
from dockyard.adapters.images.errors import translate_image_error, translated
from dockyard.domain.errors import CATALOGUE, BuildError, CredentialsError, DockyardError, UnavailableError
from dockyard_image.errors import ImageError, LockError, RecipeError, RegistryError, StoreError, WheelError

SOURCES = Path(dockyard_image.__file__).parent


def list_raised() -> list[tuple[type[ImageError], str]]:
    """Every class and code that the builder's sources raise with a literal code."""
    kinds = {kind.__name__: kind for kind in (LockError, RecipeError, RegistryError, StoreError, WheelError)}
    pattern = re.compile(rf"({'|'.join(kinds)})\(\s*\"([a-z-]+)\"")
    found = [match for path in SOURCES.glob("*.py") for match in pattern.findall(path.read_text(encoding="utf-8"))]
    return sorted({(kinds[name], code) for name, code in found}, key=str)


@pytest.mark.parametrize(("kind", "code"), list_raised())
def test_every_error_of_the_builder_has_a_place_in_the_catalogue(kind: type[ImageError], code: str) -> None:
    error = translate_image_error(kind(code, "what failed", "what to do"))
    assert error.code in CATALOGUE
    assert (error.message, error.hint) == ("what failed", "what to do")


@pytest.mark.parametrize(
    ("raised", "code", "family"),
    [
        (RegistryError("registry-credentials-refused", "no"), "credentials-refused", CredentialsError),
        (RegistryError("registry-unreachable", "no"), "registry-unreachable", UnavailableError),
        (RegistryError("something-new", "no"), "registry-refused", BuildError),
        (LockError("requirements-unsatisfiable", "no"), "requirements-unsatisfiable", BuildError),
        (StoreError("blob-missing", "no"), "image-missing", BuildError),
        (RecipeError("base-python-differs", "no"), "recipe-invalid", BuildError),
    ],
)
def test_codes_and_families(raised: ImageError, code: str, family: type[DockyardError]) -> None:
    with pytest.raises(family) as caught, translated():
        raise raised
    assert caught.value.code == code
    assert caught.value.__cause__ is raised
