"""A renewed certificate is taken while the server serves; a broken one never is."""

from __future__ import annotations

import shutil
import socket
import ssl
import threading
from pathlib import Path

import pytest

from dockyard_tracking.certificate import Certificate
from dockyard_tracking.server import make_tls
from support.certificates import make_pair


def see_certificate(context: ssl.SSLContext) -> bytes:
    """What a client of a server with this context is shown."""
    server, client = socket.socketpair()
    wanting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    wanting.check_hostname, wanting.verify_mode = False, ssl.CERT_NONE
    with server, client:
        thread = threading.Thread(target=lambda: context.wrap_socket(server, server_side=True).close())
        thread.start()
        with wanting.wrap_socket(client) as secured:
            shown = secured.getpeercert(binary_form=True)
        thread.join()
    assert shown is not None
    return shown


def read_der(folder: Path) -> bytes:
    return ssl.PEM_cert_to_DER_cert((folder / "tls.crt").read_text())


@pytest.fixture(name="folder")
def served(tmp_path: Path) -> Path:
    for name in ("first", "second"):
        make_pair(tmp_path / name, name)
    shutil.copytree(tmp_path / "first", tmp_path / "served")
    return tmp_path / "served"


def test_renewed_pair_is_shown_to_new_connections(folder: Path, tmp_path: Path) -> None:
    certificate = Certificate(folder=folder, context=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    assert certificate.look()
    assert see_certificate(certificate.context) == read_der(tmp_path / "first")
    assert not certificate.look()
    shutil.copytree(tmp_path / "second", folder, dirs_exist_ok=True)
    assert certificate.look()
    assert see_certificate(certificate.context) == read_der(tmp_path / "second")


def test_pair_that_does_not_fit_or_is_gone_leaves_the_one_before(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    certificate = Certificate(folder=folder, context=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    certificate.look()
    shutil.copy(tmp_path / "second" / "tls.crt", folder)
    assert not certificate.look()
    (folder / "tls.key").unlink()
    assert not certificate.look()
    assert see_certificate(certificate.context) == read_der(tmp_path / "first")
    assert "cannot be taken" in caplog.text
    assert "PRIVATE" not in caplog.text


def test_server_makes_its_context_by_its_settings(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKYARD_TRACKING_DATABASE_DIALECT", "sqlite")
    monkeypatch.setenv("DOCKYARD_TRACKING_TLS", str(folder))
    context = make_tls(None, None)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert see_certificate(context) == read_der(folder)
