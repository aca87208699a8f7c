"""Servers that answer and refuse: wrong credentials, no MLflow at all, artifact stores without the model."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from dockyard.adapters.mlflow_registry import MlflowRegistry
from dockyard.adapters.model_files import digest_folder, list_files
from dockyard.domain.errors import DockyardError
from dockyard.domain.reference import parse_model_ref
from support.attempts import make_attempt, make_entry
from support.local_values import KEY, make_model
from support.model_folder import write_model_folder

CANARY = "canary-4711"
JSON = "application/json"


@contextmanager
def answering(status: int, body: str, content_type: str = JSON) -> Iterator[str]:
    """A server that answers everything alike; yields its `host:port`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        do_POST = do_GET  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Tests read no log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("answer", "code", "exit_code"),
    [
        ((401, "You are not authenticated.", "text/plain"), "credentials-refused", 2),
        ((403, '{"error_code": "PERMISSION_DENIED", "message": "no"}', JSON), "credentials-refused", 2),
        ((404, "<html>nginx</html>", "text/html"), "tracking-server-refused", 1),
        ((200, "<html>a page</html>", "text/html"), "tracking-server-refused", 1),
        ((400, '{"error_code": "INVALID_PARAMETER_VALUE", "message": "bad"}', JSON), "tracking-server-refused", 1),
        ((503, "", "text/plain"), "tracking-unreachable", 1),
    ],
)
def test_refusal_is_told_as_what_it_is_and_without_the_password(
    tmp_path: Path, answer: tuple[int, str, str], code: str, exit_code: int
) -> None:
    with answering(*answer) as host:
        registry = MlflowRegistry(f"http://ann:{CANARY}@{host}", None, tmp_path)
        with pytest.raises(DockyardError) as caught:
            registry.write_entry(make_entry(make_attempt(KEY, make_model(registry=registry.name))))
    assert (caught.value.code, caught.value.exit_code) == (code, exit_code)
    assert CANARY not in f"{caught.value!r} {caught.value.hint} {caught.value.details}"


@pytest.mark.parametrize(
    "text", ["wine", "models:/wine/1", "models:/wine@prod", "runs:/abc/model", f"models:/m-{'0' * 32}", "models:/wine/Staging"]
)
def test_reference_that_may_not_be_looked_up_is_not_called_missing(tmp_path: Path, text: str) -> None:
    with answering(403, '{"error_code": "PERMISSION_DENIED", "message": "no"}') as host:
        registry = MlflowRegistry(f"http://{host}", None, tmp_path)
        for look in (
            lambda: registry.resolve_model(parse_model_ref(text)),
            lambda: registry.find_alias("wine", "prod"),
            lambda: registry.find_record(KEY, make_model()),
        ):
            with pytest.raises(DockyardError) as caught:
                look()
            assert caught.value.code == "credentials-refused"


@pytest.mark.parametrize("insecure", ["", "true"])
def test_server_that_does_not_speak_tls_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, insecure: str) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_INSECURE_TLS", insecure)
    with answering(200, "{}") as host:
        registry = MlflowRegistry(f"https://{host}", None, tmp_path)
        with pytest.raises(DockyardError, match="TLS: ") as caught:
            registry.find_alias("wine", "prod")
    assert caught.value.code == "tracking-unreachable"


def test_database_whose_driver_is_not_installed_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        uri = f"postgresql+nodriver://ann:{CANARY}@127.0.0.1:{listening.getsockname()[1]}/mlflow"
        registry = MlflowRegistry(uri, None, tmp_path)
        with pytest.raises(DockyardError) as caught:
            registry.find_alias("wine", "prod")
    assert caught.value.code == "dependency-missing"
    assert CANARY not in f"{caught.value!r} {caught.value.hint} {registry.name}"


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """A bucket of an S3 server, with a model under `models/wine` and a stray file under `models/empty`."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "MLFLOW_S3_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "ann",
        "AWS_SECRET_ACCESS_KEY": CANARY,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "1",
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", endpoint_url=f"http://{host}:{port}")
    client.create_bucket(Bucket="bucket")
    folder = write_model_folder(tmp_path / "wine")
    for name in list_files(folder, "wine"):
        client.upload_file(str(folder / name), "bucket", f"models/wine/{name}")
    client.put_object(Bucket="bucket", Key="models/empty/readme.txt", Body=b"")
    yield "s3://bucket"
    server.stop()


def test_model_in_a_bucket_is_downloaded_without_any_tracking_server(bucket: str, tmp_path: Path) -> None:
    registry = MlflowRegistry(f"sqlite:///{tmp_path}/none.db", None, tmp_path / "cache")
    found = registry.resolve_model(parse_model_ref(f"{bucket}/models/wine"))
    folder = tmp_path / "wine"
    assert found.version.identity.digest == digest_folder(folder, list_files(folder, "wine"))
    assert (found.version.identity.source, found.version.identity.registry) == ("s3://bucket/models/wine", None)


def test_model_in_a_bucket_that_has_changed_is_downloaded_again(bucket: str, tmp_path: Path) -> None:
    registry = MlflowRegistry(f"sqlite:///{tmp_path}/none.db", None, tmp_path / "cache")
    ref = parse_model_ref(f"{bucket}/models/wine")
    first = registry.resolve_model(ref)
    assert registry.resolve_model(ref) == first
    _overwrite("models/wine/model.skops")
    assert registry.resolve_model(ref).version.identity.digest != first.version.identity.digest


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("s3://bucket/models/nothing", "model-not-found"),
        ("s3://no-such-bucket/models/wine", "model-not-found"),
        ("s3://bucket/models/empty", "model-invalid"),
        ("gopher://bucket/models/wine", "model-ref-invalid"),
    ],
)
def test_location_without_a_model_is_refused(bucket: str, tmp_path: Path, text: str, code: str) -> None:
    assert bucket
    registry = MlflowRegistry(f"sqlite:///{tmp_path}/none.db", None, tmp_path / "cache")
    with pytest.raises(DockyardError) as caught:
        registry.resolve_model(parse_model_ref(text))
    assert (caught.value.code, caught.value.exit_code) == (code, 2)


def test_bucket_server_that_is_away_is_told(bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", "http://127.0.0.1:9")
    registry = MlflowRegistry(f"sqlite:///{tmp_path}/none.db", None, tmp_path / "cache")
    with pytest.raises(DockyardError) as caught:
        registry.resolve_model(parse_model_ref(f"{bucket}/models/wine"))
    assert caught.value.code == "tracking-unreachable"


def _overwrite(key: str) -> None:
    client = boto3.client("s3", endpoint_url=os.environ["MLFLOW_S3_ENDPOINT_URL"])
    client.put_object(Bucket="bucket", Key=key, Body=b"other weights")
