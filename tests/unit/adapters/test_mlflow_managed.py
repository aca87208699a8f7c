"""Addresses of MLflow servers that SageMaker manages: what is taken, what is refused, and with which advice.

That the plugin is asked rightly, `tests/lab/test_sagemaker_mlflow.py` shows with the plugin itself.
"""

from __future__ import annotations

import pytest

from dockyard.adapters.mlflow_managed import check_managed, is_managed
from dockyard.adapters.mlflow_session import MlflowSession
from dockyard.domain.errors import UsageError

SERVER = "arn:aws:sagemaker:eu-west-1:123456789012:mlflow-tracking-server/team-a"
APP = "arn:aws-us-gov:sagemaker:us-gov-west-1:123456789012:mlflow-app/app-ABC123"


@pytest.mark.parametrize("uri", ["http://mlflow:5000", "sqlite:////var/mlflow.db", "databricks", "/var/arn:aws"])
def test_other_addresses_are_no_concern_of_the_plugins(uri: str) -> None:
    assert not is_managed(uri)
    check_managed(uri, uri, "read")


@pytest.mark.parametrize(
    "uri",
    [
        "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/wine",
        "arn:aws:s3:::bucket",
        "arn:aws:sagemaker:eu-west-1:123456789012:mlflow-tracking-server/",
        "arn:aws:sagemaker:eu-west-1:1234:mlflow-app/app-1",
        f"{SERVER}/more",
        f"{SERVER}\n",
    ],
)
def test_arn_of_something_else_is_refused_with_the_form(uri: str) -> None:
    with pytest.raises(UsageError, match="is not the ARN of an MLflow server") as caught:
        check_managed(uri, uri, "read the record of prod/wine")
    assert caught.value.code == "setting-invalid"
    assert "mlflow-tracking-server/<name>" in (caught.value.hint or "")


@pytest.mark.parametrize(("runs", "models"), [(SERVER, APP), (SERVER, "http://models"), ("sqlite:///runs.db", APP)])
def test_runs_and_models_on_two_servers_are_refused_for_the_plugin_knows_one(runs: str, models: str) -> None:
    with pytest.raises(UsageError, match="of both") as caught:
        check_managed(runs, models, "read")
    assert caught.value.code == "setting-invalid"
    assert "MLFLOW_REGISTRY_URI" in (caught.value.hint or "")


def test_arn_passes_through_the_session_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_REGISTRY_URI", raising=False)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", APP)
    session = MlflowSession(None, None)
    assert (session.tracking_uri, session.registry_uri, session.name) == (APP, APP, APP)
    assert session.find_missing_store() is None


@pytest.mark.parametrize("arn", [SERVER, APP])
def test_without_the_plugin_the_extra_is_told(arn: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_managed(arn, arn, "resolve `wine`", find_plugin=lambda: False)
    assert (caught.value.code, caught.value.exit_code) == ("dependency-missing", 2)
    assert f"could not resolve `wine`: {arn} is managed by SageMaker" in caught.value.message
    assert caught.value.hint == "pip install 'dockyard[sagemaker-mlflow]'"


@pytest.mark.parametrize("arn", [SERVER, APP])
def test_with_the_plugin_both_kinds_of_servers_are_taken(arn: str) -> None:
    check_managed(arn, arn, "resolve `wine`", find_plugin=lambda: True)


def test_what_is_refused_is_refused_before_anybody_is_asked() -> None:
    with pytest.raises(UsageError, match="of both"), MlflowSession(SERVER, APP).open_client("resolve `wine`"):
        raise AssertionError("opened")
