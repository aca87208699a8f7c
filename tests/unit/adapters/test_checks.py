"""Claims about `doctor`'s checks: what each finds, how bad it is, and how to mend it."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from dockyard.adapters.checks import (
    FolderCheck,
    InterpretersCheck,
    PythonCheck,
    QueueCheck,
    UvCheck,
    examine_configuration,
    list_checks,
)
from dockyard.adapters.config_file import Surroundings
from dockyard.adapters.entry_queue import JsonEntryQueue
from dockyard.adapters.network_checks import EngineCheck, ImageRegistryCheck, TrackingCheck
from dockyard.domain.attempt import RegistryEntry
from dockyard.domain.errors import DockyardError, UnavailableError
from dockyard.domain.finding import Finding, Severity
from dockyard.domain.image import ImageSettings
from dockyard.domain.settings import ImageAccess, RegistrySettings, SecretRef, Settings
from dockyard.ports import Check
from support import results

GB = 10**9


def examine(check: Check) -> Finding:
    """The one finding of a check; those that are not OK say how to mend it."""
    (finding,) = check.examine()
    assert (finding.remedy is None) == (finding.severity is Severity.OK)
    return finding


def failing(error: Exception) -> Callable[..., str]:
    """A question that raises."""

    def ask(*_: object) -> str:
        raise error

    return ask


AWAY = UnavailableError("docker-unavailable", "nobody answers", hint="start it")


@pytest.mark.parametrize(("version", "severity"), [((3, 10), Severity.OK), ((3, 14), Severity.WARNING)])
def test_a_python_that_is_not_tested_is_a_warning(version: tuple[int, ...], severity: Severity) -> None:
    assert examine(PythonCheck(version=version)).severity is severity


@pytest.mark.parametrize(("free", "severity"), [(6 * GB, Severity.OK), (GB, Severity.WARNING), (GB // 10, Severity.ERROR)])
def test_little_room_is_a_warning_and_none_an_error(tmp_path: Path, free: int, severity: Severity) -> None:
    check = FolderCheck(code="state-folder", folder=tmp_path / "a" / "b", variable="DOCKYARD_HOME", find_free=lambda _: free)
    assert examine(check).severity is severity
    assert list(tmp_path.iterdir()) == []


def test_a_folder_below_a_file_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    finding = examine(FolderCheck(code="state-folder", folder=tmp_path / "file" / "home", variable="DOCKYARD_HOME"))
    assert finding.severity is Severity.ERROR
    assert "DOCKYARD_HOME" in str(finding.remedy)


def test_uv_is_needed() -> None:
    assert examine(UvCheck(find=lambda: "/bin/uv")).message == "uv is /bin/uv"
    assert examine(UvCheck(find=failing(FileNotFoundError()))).severity is Severity.ERROR


def test_interpreters_are_listed_and_none_is_a_warning() -> None:
    def find(minor: str) -> str:
        if minor == "3.11":
            return "/bin/python"
        raise AWAY

    message = "models of Python 3.11 can run without a Docker engine; those of 3.10, 3.12, 3.13 need an engine"
    assert examine(InterpretersCheck(find=find)).message == message
    assert examine(InterpretersCheck(find=failing(AWAY))).severity is Severity.WARNING


def test_waiting_records_are_a_warning_that_names_sync(tmp_path: Path) -> None:
    queue = JsonEntryQueue(tmp_path / "queue")
    assert examine(QueueCheck(queue=queue)).severity is Severity.OK
    queue.put_entry(RegistryEntry(attempt=results.ATTEMPT))
    finding = examine(QueueCheck(queue=queue))
    assert (finding.severity, finding.message) == (Severity.WARNING, "1 record waits to be written to the registry")
    assert "dockyard sync" in str(finding.remedy)


def test_a_registry_that_does_not_answer_is_an_error() -> None:
    assert examine(TrackingCheck(ask=lambda: "MLflow answers")) == Finding(
        code="registry", severity=Severity.OK, message="MLflow answers"
    )
    assert examine(TrackingCheck(ask=failing(AWAY))).severity is Severity.ERROR


def test_a_store_that_nobody_has_written_to_is_no_error_and_is_not_made(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    finding = examine(TrackingCheck.of(RegistrySettings(tracking_uri=SecretRef(env="STORE")), {"STORE": uri}))
    assert finding.severity is Severity.OK
    assert "is not there yet" in finding.message
    assert list(tmp_path.iterdir()) == []


def test_a_tracking_server_that_is_not_there_is_an_error_within_seconds(closed_port: int) -> None:
    finding = examine(TrackingCheck.of(RegistrySettings(tracking_uri=f"http://127.0.0.1:{closed_port}"), {}))
    assert finding.severity is Severity.ERROR
    assert f"127.0.0.1:{closed_port}" in finding.message


def test_no_docker_engine_is_a_warning() -> None:
    assert examine(EngineCheck(ask=lambda: "27.0")).message == "Docker engine 27.0 answers"
    assert examine(EngineCheck(ask=failing(AWAY))).severity is Severity.WARNING


@pytest.mark.parametrize(
    ("status", "severity"), [(200, Severity.OK), (401, Severity.OK), (404, Severity.ERROR), (500, Severity.ERROR)]
)
def test_an_image_registry_may_ask_for_credentials_but_must_be_one(status: int, severity: Severity) -> None:
    asked: list[str] = []

    def ask(url: str) -> int:
        asked.append(url)
        return status

    check = ImageRegistryCheck(repository="r.example:5000/team", insecure=("r.example:5000",), ask=ask)
    assert examine(check).severity is severity
    assert asked == ["http://r.example:5000/v2/"]


def test_an_image_registry_that_is_not_there_is_an_error(closed_port: int) -> None:
    host = f"127.0.0.1:{closed_port}"
    settings = Settings(
        state_home=Path("/s"),
        cache_home=Path("/c"),
        image=ImageSettings(repository=f"{host}/team"),
        access=ImageAccess(insecure_registries=(host,)),
    )
    finding = examine(ImageRegistryCheck.of(settings))
    assert finding.severity is Severity.ERROR
    assert f"http://{host}/v2/ does not answer" in finding.message


def test_without_a_repository_no_image_registry_is_asked() -> None:
    assert examine(ImageRegistryCheck(repository=None, ask=lambda _: 1 // 0)).severity is Severity.OK


def test_a_wrong_configuration_is_a_finding_and_the_defaults_count(tmp_path: Path) -> None:
    (tmp_path / "dockyard.yaml").write_text("imge: {}\nimage: {bulder: 1}\n")
    settings, finding = examine_configuration(Surroundings(folder=tmp_path, environ={"HOME": "/h", "DOCKYARD_HOME": "/s"}))
    assert settings.state_home == Path("/s")
    assert finding.severity is Severity.ERROR
    assert "did you mean `builder`?" in str(finding.remedy)


def test_every_check_of_this_machine_has_a_code_of_its_own(tmp_path: Path) -> None:
    settings = Settings(state_home=tmp_path / "s", cache_home=tmp_path / "c")
    checks = list_checks(settings, JsonEntryQueue(tmp_path / "queue"), {})
    quiet = [check for check in checks if not isinstance(check, TrackingCheck | EngineCheck | InterpretersCheck)]
    codes = [finding.code for check in quiet for finding in check.examine()]
    assert len(codes) == len(set(codes)) == len(quiet)


def test_an_unexpected_error_of_a_question_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        TrackingCheck(ask=failing(ZeroDivisionError())).examine()
    assert issubclass(UnavailableError, DockyardError)


class TestOverHttp:
    """The questions themselves, put to a server that answers as the real ones do. `tests/contract` asks the real ones."""

    def test_the_docker_engine_tells_its_version(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with answering({"/version": b'{"Version": "27.1", "ApiVersion": "1.43"}'}) as address:
            monkeypatch.setenv("DOCKER_HOST", f"tcp://{address}")
            assert examine(EngineCheck()).message == "Docker engine 27.1 answers"

    def test_an_engine_that_answers_with_nonsense_is_a_warning(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with answering({}) as address:
            monkeypatch.setenv("DOCKER_HOST", f"tcp://{address}")
            assert examine(EngineCheck()).severity is Severity.WARNING

    def test_an_image_registry_answers_at_its_root(self) -> None:
        with answering({"/v2/": b"{}"}) as address:
            assert examine(ImageRegistryCheck(repository=f"{address}/team", insecure=(address,))).severity is Severity.OK
        with answering({}) as address:
            assert "answers 404" in examine(ImageRegistryCheck(repository=address, insecure=(address,))).message

    def test_a_tracking_server_tells_its_version(self) -> None:
        answers = {"/version": b"3.1.4", "/api/2.0/mlflow/registered-models/search": b"{}"}
        with answering(answers) as address:
            finding = examine(TrackingCheck.of(RegistrySettings(tracking_uri=f"http://{address}"), {}))
        assert finding.message == f"MLflow registry http://{address} answers, version 3.1.4"

    @pytest.mark.parametrize("version", [b"<html>", b"3" * 200, None])
    def test_a_server_that_does_not_tell_its_version_is_no_error(self, version: bytes | None) -> None:
        answers = {"/api/2.0/mlflow/registered-models/search": b"{}", **({} if version is None else {"/version": version})}
        with answering(answers) as address:
            finding = examine(TrackingCheck.of(RegistrySettings(tracking_uri=f"http://{address}"), {}))
        assert finding.message == f"MLflow registry http://{address} answers"


@contextmanager
def answering(answers: Mapping[str, bytes]) -> Iterator[str]:
    """The address of a server that answers some paths with JSON, and 404 elsewhere."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = re.sub(r"^/v1\.[0-9]+", "", self.path.partition("?")[0])
            body = answers.get(path)
            self.send_response(200 if body is not None else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
