"""Wheels are chosen for the image's Python and machine, not for the host's."""

from __future__ import annotations

import pytest
from packaging.tags import parse_tag

from dockyard_image import RecipeError
from dockyard_image.platforms import find_platform, python_minor, supported_tags


@pytest.mark.parametrize(
    ("tag", "fits"),
    [
        ("cp311-cp311-manylinux_2_28_x86_64", True),
        ("cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64", True),
        ("cp311-cp311-manylinux1_x86_64", True),
        ("cp311-abi3-manylinux_2_17_x86_64", True),
        ("cp38-abi3-manylinux2010_x86_64", True),
        ("py3-none-any", True),
        ("py2.py3-none-any", True),
        ("py3-none-manylinux_2_5_x86_64", True),
        ("cp311-cp311-manylinux_2_34_x86_64", False),
        ("cp312-cp312-manylinux_2_28_x86_64", False),
        ("cp312-abi3-manylinux_2_28_x86_64", False),
        ("cp311-cp311-musllinux_1_2_x86_64", False),
        ("cp311-cp311-manylinux_2_28_aarch64", False),
        ("cp311-cp311-macosx_11_0_arm64", False),
        ("py2-none-any", False),
    ],
)
def test_tag_fits_python_311_on_amd64(tag: str, fits: bool) -> None:
    assert bool(parse_tag(tag) & set(supported_tags("3.11", "linux/amd64"))) is fits


def test_arm64_takes_aarch64_wheels_from_manylinux2014_on() -> None:
    tags = set(supported_tags("3.12", "linux/arm64"))
    assert parse_tag("cp312-cp312-manylinux2014_aarch64") <= tags
    assert not parse_tag("cp312-cp312-manylinux2010_aarch64") & tags


def test_specific_wheel_comes_before_the_general_one() -> None:
    tags = supported_tags("3.11", "linux/amd64")
    order = [
        "cp311-cp311-manylinux_2_28_x86_64",
        "cp311-cp311-manylinux2014_x86_64",
        "cp38-abi3-manylinux1_x86_64",
        "py3-none-any",
    ]
    places = [min(tags.index(tag) for tag in parse_tag(text)) for text in order]
    assert places == sorted(places)


@pytest.mark.parametrize("name", ["linux/riscv64", "windows/amd64", "amd64", ""])
def test_unknown_platform_is_refused_and_the_known_ones_are_named(name: str) -> None:
    with pytest.raises(RecipeError) as caught:
        find_platform(name)
    assert caught.value.code == "platform-unsupported"
    assert "linux/amd64, linux/arm64" in caught.value.hint


@pytest.mark.parametrize("text", ["3", "3.11.7", "2.7", "", "3.x", "3.11\n"])
def test_python_version_is_a_minor_version(text: str) -> None:
    with pytest.raises(RecipeError) as caught:
        python_minor(text)
    assert caught.value.code == "python-unsupported"
