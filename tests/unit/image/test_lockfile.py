"""A lock is one wheel per package, chosen for the image, and says nothing of where they came from."""

from __future__ import annotations

import json

import pytest

from dockyard_image import LockError
from dockyard_image.lockfile import decode_lock, encode_lock, parse_pylock
from dockyard_image.platforms import supported_tags

TAGS = supported_tags("3.11", "linux/amd64")
HASHES = [f"{number:064x}" for number in range(1, 9)]


def wheel_line(url: str, digest: str) -> str:
    return f'{{ url = "{url}", size = 7, hashes = {{ sha256 = "{digest}" }} }}'


def pylock(*packages: tuple[str, list[str]]) -> str:
    head = 'lock-version = "1.0"\ncreated-by = "uv"\n'
    return head + "".join(
        f'[[packages]]\nname = "{name}"\nversion = "1.0"\nwheels = [{", ".join(lines)}]\n' for name, lines in packages
    )


def native(platform: str, python: str = "cp311-cp311") -> str:
    return f"https://files.example/native-1.0-{python}-{platform}.whl"


def test_best_wheel_for_the_image_is_chosen() -> None:
    lines = [
        wheel_line(native("macosx_11_0_arm64"), HASHES[0]),
        wheel_line(native("musllinux_1_2_x86_64"), HASHES[1]),
        wheel_line(native("manylinux_2_17_x86_64.manylinux2014_x86_64"), HASHES[2]),
        wheel_line(native("manylinux_2_28_x86_64"), HASHES[3]),
        wheel_line("https://files.example/native-1.0-py3-none-any.whl", HASHES[4]),
    ]
    lock = parse_pylock(pylock(("native", lines)), TAGS)
    assert [wheel.sha256 for wheel in lock.wheels] == [HASHES[3]]


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [wheel_line(native("win_amd64"), HASHES[0])],
        [wheel_line(native("manylinux_2_28_x86_64", "cp312-cp312"), HASHES[0])],
        [wheel_line(native("manylinux_2_28_x86_64"), "abc")],
        [wheel_line("https://files.example/native-1.0.tar.gz", HASHES[0])],
    ],
)
def test_package_without_a_fitting_wheel_is_named(lines: list[str]) -> None:
    with pytest.raises(LockError, match="native") as caught:
        parse_pylock(pylock(("native", lines)), TAGS)
    assert caught.value.code == "no-wheel"
    assert "engine builder" in caught.value.hint


def test_wheel_required_by_its_address_is_taken() -> None:
    text = f'[[packages]]\nname = "a"\narchive = {wheel_line("https://x.example/A-2.0-py3-none-any.whl", HASHES[0])}\n'
    (wheel,) = parse_pylock(text, TAGS).wheels
    assert (wheel.name, wheel.version, wheel.filename) == ("a", "2.0", "A-2.0-py3-none-any.whl")


def test_same_wheels_from_another_index_give_the_same_lock() -> None:
    def lock_from(host: str, names: list[str]) -> object:
        packages = [(name, [wheel_line(f"https://u:p4ss@{host}/{name}-1.0-py3-none-any.whl", HASHES[0])]) for name in names]
        return parse_pylock(pylock(*packages), TAGS)

    one, other = lock_from("a.example", ["x", "y"]), lock_from("b.example", ["y", "x"])
    assert (one.text, one.digest) == (other.text, other.digest)  # type: ignore[attr-defined]


def test_lock_text_is_a_requirements_file_without_addresses() -> None:
    lock = parse_pylock(pylock(("x", [wheel_line("https://u:p4ss@a.example/x-1.0-py3-none-any.whl", HASHES[0])])), TAGS)
    assert lock.text == f"x==1.0 --hash=sha256:{HASHES[0]}\n"
    assert "p4ss" not in lock.text + lock.wheels[0].url + repr(lock)
    assert "a.example" not in repr(lock)


def test_cached_lock_is_read_back_as_it_was() -> None:
    lock = parse_pylock(pylock(("x", [wheel_line("https://a.example/x-1.0-py3-none-any.whl", HASHES[0])])), TAGS)
    assert decode_lock(encode_lock(lock)) == lock


@pytest.mark.parametrize("content", [b"", b"{", b"null", b"[1]", b'[{"name": "x"}]', json.dumps([{"nome": 1}]).encode()])
def test_damaged_cached_lock_is_as_good_as_none(content: bytes) -> None:
    assert decode_lock(content) is None
