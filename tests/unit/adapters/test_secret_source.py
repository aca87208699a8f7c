"""Claims about secrets that the configuration refers to."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockyard.adapters.secret_source import read_secret, reveal_text
from dockyard.domain.errors import UsageError
from dockyard.domain.settings import SecretRef


def test_a_variable_and_a_file_hold_the_secret_itself(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b" pass word \r\n")
    assert read_secret(SecretRef(env="A"), {"A": " x "}).reveal() == " x "
    assert read_secret(SecretRef(file=str(tmp_path / "file")), {}).reveal() == " pass word "


def test_plain_text_is_itself() -> None:
    assert reveal_text("bob", {}) == "bob"
    assert reveal_text(SecretRef(env="A"), {"A": "x"}) == "x"


@pytest.mark.parametrize("environ", [{}, {"A": ""}])
def test_a_variable_that_is_not_set_is_wrong_usage(environ: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="environment variable A") as caught:
        read_secret(SecretRef(env="A"), environ)
    assert caught.value.code == "secret-unavailable"


def test_a_file_that_cannot_be_read_is_named_and_its_content_is_not(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"s3cr3t\xff")
    for name, reason in (("missing", "No such file"), ("binary", "not UTF-8"), (".", "Is a directory")):
        with pytest.raises(UsageError, match=reason) as caught:
            read_secret(SecretRef(file=str(tmp_path / name)), {})
        assert "s3cr3t" not in caught.value.message


def test_a_reference_says_where_the_secret_is_and_not_what() -> None:
    assert str(SecretRef(env="A")) == "environment variable A"
    assert str(SecretRef(file="/run/secrets/a")) == "file /run/secrets/a"
