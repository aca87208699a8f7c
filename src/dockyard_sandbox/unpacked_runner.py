"""Runs images that Dockyard built without an engine: their own layers, unpacked, under this machine's Python.

Owns processes in the place of containers: the image's argument, port, environment and model data are SageMaker's; limits of
memory, another user and network isolation need an engine. Takes images from the sandbox's own registry only.
"""

from __future__ import annotations

import os
import platform
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from dockyard_image.errors import ImageError
from dockyard_image.image import StoredImage, read_image
from dockyard_image.manifest import decode_index, decode_object, is_index
from dockyard_image.pythons import find_python
from dockyard_image.reference import parse_reference
from dockyard_image.unpacked import UnpackedImage, make_command, make_environment, unpack_image
from dockyard_sandbox.process_records import note_process
from dockyard_sandbox.repositories import EcrError, PushedImage, Repositories
from dockyard_sandbox.runner import Container, ContainerError, ContainerSpec, ImagePullError

_HOST = "127.0.0.1"
_QUIET_SECONDS = "0.2"
"""How long a scorer waits for late requests before it closes; the sandbox sends hardly any to one that is to stop."""
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


class UnpackedRunner:
    """Runs images out of the sandbox's own registry. `address` is the registry's, `cache` outlives the sandbox."""

    def __init__(
        self, repositories: Repositories, *, address: str, folder: Path, cache: Path, environ: Mapping[str, str]
    ) -> None:
        self._repositories = repositories
        self._address = address
        self._folder = folder
        self._cache = cache
        self._environ = environ
        self._pythons: dict[str, str] = {}

    def resolve_digest(self, image: str) -> str:
        """The digest of an image of the own registry. Raises ImagePullError."""
        return self._find(image).digest

    def start(self, spec: ContainerSpec) -> Container:
        """Start the image's scorer. Raises ImagePullError, ContainerError."""
        stored = self._load(spec.image)
        try:
            image = unpack_image(self._repositories.blobs, stored, self._cache / "layers")
            python = self._find_python(image.python)
        except ImageError as error:
            raise ContainerError(error.message) from error
        try:
            return self._start_process(spec, image, python)
        except OSError as error:
            raise ContainerError(f"the scorer of {spec.image} cannot be started: {error}") from error

    def _start_process(self, spec: ContainerSpec, image: UnpackedImage, python: str) -> Container:
        self._folder.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix="container-", dir=self._folder))
        port = _find_port()
        environment = make_environment(
            image,
            environ=self._environ,
            given={"DOCKYARD_QUIET_SECONDS": _QUIET_SECONDS, **spec.environment},
            work=work,
            cache=self._cache,
        )
        ours = {"DOCKYARD_HOST": _HOST, "SAGEMAKER_BIND_TO_PORT": str(port), "PORT": str(port)}
        if spec.model_data is not None:
            ours["DOCKYARD_MODEL"] = str(spec.model_data)
        process = subprocess.Popen(
            make_command(python, image, spec.argument),
            env={**environment, **ours},
            cwd=work,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        return _ProcessContainer(process, f"{_HOST}:{port}", spec, work)

    def _find(self, image: str) -> PushedImage:
        """The manifest or list that a reference stands for. Raises ImagePullError."""
        try:
            reference = parse_reference(image)
            if reference.host != self._address:
                words = f"is not in the sandbox's registry {self._address}, and without a Docker engine no other is asked"
                raise ImagePullError(f"{image} {words}")
            found = self._repositories.find_image(reference.repository, reference.selector)
            if found is None:
                tag = "" if reference.digest else reference.selector
                raise self._repositories.missing_image(reference.repository, digest=reference.digest, tag=tag)
        except (ImageError, EcrError) as error:
            raise ImagePullError(error.message) from error
        return found

    def _load(self, image: str) -> StoredImage:
        """The image for this machine that a reference stands for. Raises ImagePullError, ContainerError."""
        pushed, blobs = self._find(image), self._repositories.blobs
        try:
            if is_index(pushed.content, pushed.media_type):
                pushed = self._find(f"{image.partition('@')[0]}@{_choose_platform(pushed)}")
            loaded = read_image(blobs, blobs.put(pushed.content))
            architecture = decode_object(blobs.read(loaded.config_digest)).get("architecture")
        except ImageError as error:
            raise ContainerError(error.message) from error
        if architecture != _machine():
            raise ContainerError(f"exec format error: {image} is for linux/{architecture}, this machine is {_machine()}")
        return loaded

    def _find_python(self, minor: str) -> str:
        if minor not in self._pythons:
            self._pythons[minor] = find_python(minor, self._environ)
        return self._pythons[minor]


class _ProcessContainer:
    """A scorer that runs."""

    def __init__(self, process: subprocess.Popen[bytes], address: str, spec: ContainerSpec, work: Path) -> None:
        self._process = process
        self._address = address
        self._work = work
        self._record = note_process(work.parent / "pids", process.pid)
        self._lock = threading.Lock()
        self._pump = threading.Thread(target=self._pass_lines, args=(spec.log,), name=f"log-{process.pid}", daemon=True)
        self._pump.start()

    @property
    def address(self) -> str:
        """Where it answers."""
        return self._address

    def exit_code(self) -> int | None:
        """How it ended."""
        return self._process.poll()

    def stop(self, grace_seconds: float = 30) -> None:
        """SIGTERM, SIGKILL after the grace, to the whole group."""
        with self._lock:
            with suppress(ProcessLookupError):
                if self._process.poll() is None:
                    self._process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=grace_seconds)
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._pump.join()
            self._record.unlink(missing_ok=True)
            shutil.rmtree(self._work, ignore_errors=True)

    def _pass_lines(self, log: Callable[[str], None]) -> None:
        stdout = self._process.stdout
        if stdout is None:
            return
        with stdout:
            for line in stdout:
                log(line.decode("utf-8", "replace").rstrip("\r\n"))


def _choose_platform(pushed: PushedImage) -> str:
    for entry in decode_index(pushed.content):
        if (entry.os, entry.architecture) == ("linux", _machine()):
            return entry.descriptor.digest
    raise ContainerError(f"the image list {pushed.digest} has no image for linux/{_machine()}")


def _machine() -> str:
    return _ARCHITECTURES.get(platform.machine(), platform.machine())


def _find_port() -> int:
    with socket.create_server((_HOST, 0)) as free:
        port: int = free.getsockname()[1]
        return port
