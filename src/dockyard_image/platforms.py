"""What a wheel must fit: the Python and the machine inside the image, never those of the building host.

Owns the table of platforms and the ordered tags of each. Must not look at the running interpreter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from packaging import tags

from dockyard_image.errors import RecipeError

GLIBC_MINOR = 28  # manylinux_2_28: Debian 10 and newer, every current official Python image
_LEGACY = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
_PYTHON = re.compile(r"3\.(\d{1,2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """One operating system and machine, in the words of OCI, of wheels and of uv."""

    os: str
    architecture: str
    machine: str
    oldest_glibc_minor: int

    @property
    def name(self) -> str:
        """The name in OCI's words, such as `linux/amd64`."""
        return f"{self.os}/{self.architecture}"

    @property
    def uv_name(self) -> str:
        """The name that `uv --python-platform` takes."""
        return f"{self.machine}-manylinux_2_{GLIBC_MINOR}"


_PLATFORMS = {
    platform.name: platform
    for platform in (
        Platform(os="linux", architecture="amd64", machine="x86_64", oldest_glibc_minor=5),
        Platform(os="linux", architecture="arm64", machine="aarch64", oldest_glibc_minor=17),
    )
}


def find_platform(name: str) -> Platform:
    """The platform called `name`. Raises RecipeError, code `platform-unsupported`."""
    platform = _PLATFORMS.get(name)
    if platform is None:
        known = ", ".join(sorted(_PLATFORMS))
        raise RecipeError("platform-unsupported", f"images are not built for {name!r}", f"Choose one of {known}.")
    return platform


def python_minor(python: str) -> tuple[int, int]:
    """`3.11` as numbers. Raises RecipeError, code `python-unsupported`."""
    match = _PYTHON.fullmatch(python)
    if match is None:
        raise RecipeError("python-unsupported", f"{python!r} is not a Python version", "Write it like 3.11.")
    return 3, int(match.group(1))


def supported_tags(python: str, platform: str) -> list[tags.Tag]:
    """The wheel tags that fit, best first, as pip would order them inside the image."""
    version = python_minor(python)
    names = list(_wheel_platforms(find_platform(platform)))
    return [
        *tags.cpython_tags(version, platforms=names),
        *tags.compatible_tags(version, interpreter=f"cp3{version[1]}", platforms=names),
    ]


def _wheel_platforms(platform: Platform) -> Iterator[str]:
    for minor in range(GLIBC_MINOR, platform.oldest_glibc_minor - 1, -1):
        yield f"manylinux_2_{minor}_{platform.machine}"
        if minor in _LEGACY:
            yield f"{_LEGACY[minor]}_{platform.machine}"
    yield f"linux_{platform.machine}"
