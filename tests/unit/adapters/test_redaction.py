"""Credentials stay out of names and messages, however an address or a library spells them."""

from __future__ import annotations

import pytest

from dockyard.adapters.redaction import Redactor, strip_credentials


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("http://mlflow:5000", "http://mlflow:5000"),
        ("http://ann:pw@mlflow:5000/prefix", "http://mlflow:5000/prefix"),
        ("https://token@mlflow/x?access=pw#frag", "https://mlflow/x"),
        ("mysql+pymysql://u:p%40ss@db:3306/mlflow?ssl_key=/k", "mysql+pymysql://db:3306/mlflow"),
        ("sqlite:////srv/ann/mlflow.db", "sqlite:////srv/ann/mlflow.db"),
        ("sqlite:///mlflow.db", "sqlite:///mlflow.db"),
        ("mlflow-artifacts:/1/abc/artifacts", "mlflow-artifacts:/1/abc/artifacts"),
        ("s3://bucket/a/b@c", "s3://bucket/a/b@c"),
        ("/srv/ann/what?/model", "/srv/ann/what?/model"),
        ("http://[::1", "http://[::1"),
    ],
)
def test_address_is_shown_without_what_may_be_secret(uri: str, shown: str) -> None:
    assert strip_credentials(uri) == shown


@pytest.mark.parametrize("text", ["Basic s3cr%3Fet", "s3cr?et", "http://someone:else@host/x", "//ann:s3cr?et@host"])
def test_known_secrets_and_anything_in_an_addresss_place_for_one_are_masked(text: str) -> None:
    redactor = Redactor(["http://ann:s3cr%3Fet@mlflow"])
    assert "s3cr" not in redactor.redact(text)
    assert "else@" not in redactor.redact(text)
    assert not redactor.is_clean(text)


def test_secrets_from_the_environment_and_from_queries_are_masked() -> None:
    redactor = Redactor(["postgresql://db/mlflow?password=hunter22"], ["tokentoken"])
    assert redactor.redact("hunter22 tokentoken rest") == "*** *** rest"


def test_text_without_secrets_is_left_alone() -> None:
    redactor = Redactor(["http://mlflow:5000"], [""])
    assert redactor.is_clean("could not reach http://mlflow:5000/api/2.0 @ noon")
