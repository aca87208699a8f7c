"""Owns running a finished image once, to record its answer to the model's input example.

Under a Python of this machine where it has the image's own layers and minor version, else in a Docker engine. Must not decide
what a wrong answer means.
"""

from __future__ import annotations

import io
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
from dockyard.domain.errors import BuildError, DockyardError, UnavailableError
from dockyard_image.image import StoredImage
from dockyard_image.unpacked import make_command, make_environment
from dockyard_scorer.errors import EXIT_NO_EXAMPLE

if TYPE_CHECKING:
    from docker.models.containers import Container

_TIMEOUT_SECONDS = 600
_LOG_LINES = 20
_FILE = "/tmp/proof.json"  # noqa: S108  inside a container of our own
_NAME = "dockyard-proof"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prover:
    """Records proofs. `environ` is this process's environment, of which the model sees next to nothing."""

    library: ImageLibrary
    pythons: Pythons
    cache: Path
    environ: Mapping[str, str]

    def record_proof(self, image: StoredImage, *, is_unpackable: bool) -> bytes | None:
        """Return the content of `proof.json`; None where the model has no input example.

        Raises BuildError `model-does-not-answer`; UnavailableError where neither a Python nor an engine can run the image.
        """
        if is_unpackable:
            try:
                return self._prove_as_process(image)
            except UnavailableError as error:
                if error.code != "no-matching-python":
                    raise
        return self._prove_in_container(image)

    def _prove_as_process(self, image: StoredImage) -> bytes | None:
        unpacked = self.library.unpack(image)
        python = self.pythons.find(unpacked.python)
        with tempfile.TemporaryDirectory(prefix="dockyard-proof-") as folder:
            output = Path(folder, "proof.json")
            done = subprocess.run(
                make_command(python, unpacked, "prove", "--output", str(output)),
                env=make_environment(unpacked, environ=self.environ, given={}, work=Path(folder), cache=self.cache),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_TIMEOUT_SECONDS,
                check=False,
            )
            if done.returncode == EXIT_NO_EXAMPLE:
                return None
            if done.returncode != 0:
                raise _does_not_answer(done.returncode, done.stderr)
            return output.read_bytes()

    def _prove_in_container(self, image: StoredImage) -> bytes | None:
        name = f"{_NAME}:{image.digest[-16:]}"
        with translated_engine("run the image once"), closing(open_engine(_TIMEOUT_SECONDS)) as engine:
            with tempfile.TemporaryFile() as file:
                self.library.write(image, file, name)
                file.seek(0)
                loaded = engine.images.load(file)[0]
            try:
                return _run_once(engine.containers.create(loaded, ["prove", "--output", _FILE], network_disabled=True))
            finally:
                engine.images.remove(name, noprune=True)


def _run_once(container: Container) -> bytes | None:
    """Run a container to its end, take the proof out of it, and remove it."""
    try:
        container.start()
        code = int(container.wait(timeout=_TIMEOUT_SECONDS)["StatusCode"])
        if code == EXIT_NO_EXAMPLE:
            return None
        if code != 0:
            raise _does_not_answer(code, container.logs(tail=_LOG_LINES).decode(errors="replace"))
        return _read_member(b"".join(container.get_archive(_FILE)[0]))
    finally:
        container.remove(force=True)


def _read_member(archive: bytes) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        member = next(iter(tar))
        content = tar.extractfile(member)
        if content is None:
            raise DockyardError("docker-failed", "the Docker engine gave no file where the image's answer should be")
        return content.read()


def _does_not_answer(code: int, log: str) -> BuildError:
    return BuildError(
        "model-does-not-answer",
        f"the model fails on its own input example (the scorer ended with exit code {code})",
        hint="`mlflow models predict` with its input_example.json shows the same; its requirements may lack a package",
        details=tuple(log.splitlines()[-_LOG_LINES:]),
    )
