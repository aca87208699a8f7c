"""Owns running a finished image once, to record its answer to the model's input example, and what it took.

Under a Python of this machine where it has the image's own layers and minor version, else in a Docker engine. Must not decide
what a wrong answer means.
"""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard.adapters.images.library import ImageLibrary
from dockyard.adapters.local.engine import open_engine, translated_engine
from dockyard.adapters.local.pythons import Pythons
from dockyard.domain.errors import BuildError, UnavailableError
from dockyard.domain.image import Footprint, make_footprint
from dockyard_image.image import StoredImage
from dockyard_image.unpacked import make_command, make_environment
from dockyard_scorer.errors import EXIT_NO_EXAMPLE

if TYPE_CHECKING:
    from docker.models.containers import Container

_TIMEOUT_SECONDS = 600
_LOG_LINES = 20
_PROOF, _MEASURED = "proof.json", "measured.json"
_FILES = frozenset({_PROOF, _MEASURED})
_FOLDER = "/tmp"  # noqa: S108  inside a container of our own
_NAME = "dockyard-proof"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What one run of an image gave."""

    proof: bytes | None = None
    """The content of `proof.json`; None where the model has no input example."""
    footprint: Footprint | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prover:
    """Records proofs. `environ` is this process's environment, of which the model sees next to nothing."""

    library: ImageLibrary
    pythons: Pythons
    cache: Path
    environ: Mapping[str, str]

    def record_proof(self, image: StoredImage, *, is_unpackable: bool) -> Recording:
        """Return what a run of an image gives.

        Raises BuildError `model-does-not-answer`; UnavailableError where neither a Python nor an engine can run the image.
        """
        if is_unpackable:
            try:
                return self._prove_as_process(image)
            except UnavailableError as error:
                if error.code != "no-matching-python":
                    raise
        return self._prove_in_container(image)

    def _prove_as_process(self, image: StoredImage) -> Recording:
        unpacked = self.library.unpack(image)
        python = self.pythons.find(unpacked.python)
        with tempfile.TemporaryDirectory(prefix="dockyard-proof-") as folder:
            done = subprocess.run(
                make_command(python, unpacked, *_command(folder)),
                env=make_environment(unpacked, environ=self.environ, given={}, work=Path(folder), cache=self.cache),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_TIMEOUT_SECONDS,
                check=False,
            )
            if done.returncode not in {0, EXIT_NO_EXAMPLE}:
                raise _does_not_answer(done.returncode, done.stderr)
            return _read_recording({name: file.read_bytes() for name in _FILES if (file := Path(folder, name)).exists()})

    def _prove_in_container(self, image: StoredImage) -> Recording:
        name = f"{_NAME}:{image.digest[-16:]}"
        with translated_engine("run the image once"), closing(open_engine(_TIMEOUT_SECONDS)) as engine:
            with tempfile.TemporaryFile() as file:
                self.library.write(image, file, name)
                file.seek(0)
                loaded = engine.images.load(file)[0]
            try:
                return _run_once(engine.containers.create(loaded, [*_command(_FOLDER)], network_disabled=True))
            finally:
                engine.images.remove(name, noprune=True)


def _command(folder: str) -> tuple[str, ...]:
    return ("prove", "--output", f"{folder}/{_PROOF}", "--measured", f"{folder}/{_MEASURED}")


def _read_recording(files: Mapping[str, bytes]) -> Recording:
    measured = json.loads(files[_MEASURED]) if _MEASURED in files else None
    footprint = make_footprint(measured["peak_kib"] / 1024, measured["cpu_seconds"]) if measured else None
    return Recording(proof=files.get(_PROOF), footprint=footprint)


def _run_once(container: Container) -> Recording:
    """Run a container to its end, take its files out of it, and remove it."""
    try:
        container.start()
        code = int(container.wait(timeout=_TIMEOUT_SECONDS)["StatusCode"])
        if code not in {0, EXIT_NO_EXAMPLE}:
            raise _does_not_answer(code, container.logs(tail=_LOG_LINES).decode(errors="replace"))
        return _read_recording(_read_members(b"".join(container.get_archive(_FOLDER)[0])))
    finally:
        container.remove(force=True)


def _read_members(archive: bytes) -> Mapping[str, bytes]:
    """Those of our files that the archive of a folder has, by their names."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        files = {Path(one.name).name: tar.extractfile(one) for one in tar if Path(one.name).name in _FILES}
        return {name: content.read() for name, content in files.items() if content is not None}


def _does_not_answer(code: int, log: str) -> BuildError:
    return BuildError(
        "model-does-not-answer",
        f"the model fails on its own input example (the scorer ended with exit code {code})",
        hint="`mlflow models predict` with its input_example.json shows the same; its requirements may lack a package",
        details=tuple(log.splitlines()[-_LOG_LINES:]),
    )
