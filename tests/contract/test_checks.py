"""`doctor`'s questions put to the real ones: MLflow, Docker engine, image registries."""

from __future__ import annotations

import pytest

from dockyard.adapters.network_checks import EngineCheck, ImageRegistryCheck, TrackingCheck
from dockyard.domain.finding import Severity
from dockyard.domain.settings import RegistrySettings
from dockyard.ports import Check
from support.lab import RegistryLogin
from support.tracking import TrackingServer


def message_of(check: Check) -> str:
    """What an OK finding says."""
    (finding,) = check.examine()
    assert finding.severity is Severity.OK, finding
    return finding.message


@pytest.mark.process
def test_an_embedded_store_answers(sqlite_store: str) -> None:
    message = message_of(TrackingCheck.of(RegistrySettings(tracking_uri=sqlite_store), {}))
    assert message == f"MLflow registry {sqlite_store} answers"


@pytest.mark.process
def test_a_tracking_server_answers_and_tells_its_version(tracking_server: TrackingServer) -> None:
    message = message_of(TrackingCheck.of(RegistrySettings(tracking_uri=tracking_server.uri), {}))
    assert message.startswith(f"MLflow registry {tracking_server.uri} answers, version 3.")


@pytest.mark.lab
def test_a_docker_engine_tells_its_version(lab_engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", lab_engine)
    assert message_of(EngineCheck()).startswith("Docker engine ")


@pytest.mark.lab
def test_registries_answer_with_and_without_credentials(lab_registry: str, lab_registry_auth: RegistryLogin) -> None:
    for host in (lab_registry, lab_registry_auth.address):
        assert message_of(ImageRegistryCheck(repository=f"{host}/team/model", insecure=(host,))) == f"{host} answers"
