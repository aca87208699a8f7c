"""Tests of the scorer's settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockyard_scorer.settings import Settings, SettingsError, read_settings


def test_defaults_are_the_image_contract() -> None:
    settings = read_settings({})
    assert settings == Settings()
    assert (settings.model, settings.proof) == (Path("/opt/ml/model"), Path("/opt/dockyard/proof.json"))
    assert (settings.host, settings.port) == ("0.0.0.0", 8080)
    assert (settings.max_body_bytes, settings.grace_seconds, settings.request_timeout_seconds) == (104857600, 25, 60)


def test_prefix_moves_everything_that_is_not_set_by_itself() -> None:
    settings = read_settings({"DOCKYARD_PREFIX": "/p", "DOCKYARD_PROOF": "/q/proof.json"})
    assert (settings.image_json, settings.proof) == (Path("/p/image.json"), Path("/q/proof.json"))


@pytest.mark.parametrize(
    ("environment", "port"),
    [
        ({"PORT": "1"}, 1),
        ({"SAGEMAKER_BIND_TO_PORT": "2", "PORT": "1"}, 2),
        ({"SAGEMAKER_BIND_TO_PORT": "", "PORT": "1"}, 1),
        ({"PORT": " 3 "}, 3),
        ({"PORT": "0"}, 0),
    ],
)
def test_sagemakers_port_goes_before_the_common_one(environment: dict[str, str], port: int) -> None:
    assert read_settings(environment).port == port


def test_every_number_can_be_set() -> None:
    settings = read_settings(
        {
            "DOCKYARD_HOST": "::1",
            "DOCKYARD_MODEL": "/m",
            "DOCKYARD_MAX_BODY_BYTES": "10",
            "DOCKYARD_GRACE_SECONDS": "1.5",
            "DOCKYARD_QUIET_SECONDS": "0.5",
            "DOCKYARD_REQUEST_TIMEOUT_SECONDS": "3",
            "DOCKYARD_THREADS": "4",
            "DOCKYARD_MAX_REQUESTS": "5",
            "DOCKYARD_REVISION": "6",
        }
    )
    assert settings == Settings(
        host="::1",
        model=Path("/m"),
        max_body_bytes=10,
        grace_seconds=1.5,
        quiet_seconds=0.5,
        request_timeout_seconds=3.0,
        threads=4,
        max_requests=5,
        revision=6,
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PORT", "http"),
        ("PORT", "70000"),
        ("SAGEMAKER_BIND_TO_PORT", "-1"),
        ("DOCKYARD_MAX_BODY_BYTES", "0"),
        ("DOCKYARD_GRACE_SECONDS", "nan"),
        ("DOCKYARD_QUIET_SECONDS", "-1"),
        ("DOCKYARD_REQUEST_TIMEOUT_SECONDS", "inf"),
        ("DOCKYARD_REVISION", "1.5"),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_variable(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=f"^{name} must be a"):
        read_settings({name: text})
