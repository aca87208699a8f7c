"""Owns the process runtime: an image's own layers, unpacked, under this machine's Python, kept alive by a supervisor.

Isolation is that of a process: a clean environment, no packages but the image's, a folder of its own for temporary files.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from dockyard.adapters.local.daemon import end_holder, find_holder
from dockyard.adapters.local.launch import Launch, Phase, Status, read_status, write_launch
from dockyard.adapters.local.logfile import read_log
from dockyard.adapters.local.programs import start_program
from dockyard.adapters.local.pythons import Pythons
from dockyard.adapters.local.runtime import Look, Place, RevisionImages, look_at_failed
from dockyard.adapters.scorer_client import is_ready
from dockyard.domain.deployment import RevisionStatus
from dockyard.domain.errors import UnhealthyError
from dockyard_image.unpacked import make_command, make_environment

_PROGRAM = "dockyard.adapters.local.supervisor"
_HOST = "127.0.0.1"
_LOOK_SECONDS = 2.0
_MARGIN_SECONDS = 2.0
_QUIET_SECONDS = 0.1
"""How long a scorer waits for late requests before it closes: the forwarder sends none to a revision that is stopped."""


class ProcessRuntime:
    """Runs revisions as processes."""

    def __init__(self, images: RevisionImages, pythons: Pythons, cache: Path, environ: Mapping[str, str]) -> None:
        """`cache` is where compiled Python code is kept between starts; of `environ` only a few variables are passed on."""
        self._images = images
        self._pythons = pythons
        self._cache = cache
        self._environ = environ

    def look(self, place: Place) -> Look:
        """Look at the supervisor, and ask the scorer itself whether it is ready."""
        is_alive = find_holder(place.folder.pid_file) is not None
        status = read_status(place.folder.status)
        if not is_alive:
            return Look(status=RevisionStatus.STOPPED) if status is None else look_at_failed(status.exit_code)
        if status is None:
            return Look(status=RevisionStatus.STARTING)
        return _look_at(status, f"{_HOST}:{status.port}")

    def start(self, place: Place) -> None:
        """Start a supervisor, and the scorer through it. Raises `revision-crashed`, `no-matching-python`, `image-missing`."""
        self.stop(place)
        image = self._images.unpack_image(place.spec.fingerprint)
        python = self._pythons.find(image.python)
        folder = place.folder
        environment = make_environment(
            image, environ=self._environ, given=dict(place.settings.env), work=folder.work, cache=self._cache
        )
        folder.work.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_launch(
            folder.launch,
            Launch(
                command=make_command(python, image, "serve"),
                env={**environment, "DOCKYARD_HOST": _HOST, **scorer_variables(place)},
                cwd=str(folder.work),
                host=_HOST,
                grace_seconds=place.settings.grace_seconds + _MARGIN_SECONDS,
            ),
        )
        stands = start_program(_PROGRAM, (str(folder.path),), folder=folder.path, log=folder.log)
        if not stands and find_holder(folder.pid_file) is None:
            raise UnhealthyError(
                "revision-crashed",
                f"the supervisor of {place} ended at once",
                details=tuple(read_log(folder.log, tail=20)),
            )

    def keep(self, place: Place) -> None:
        """Nothing more: a supervisor starts every scorer again that was ready once."""

    def stop(self, place: Place) -> None:
        """End the supervisor, which ends the scorer within its grace."""
        end_holder(place.folder.pid_file, grace_seconds=place.settings.grace_seconds + 2 * _MARGIN_SECONDS)
        place.folder.status.unlink(missing_ok=True)
        shutil.rmtree(place.folder.work, ignore_errors=True)

    def forget(self, place: Place) -> None:
        """Nothing more: the unpacked layers belong to the image, and the folder goes with the revision."""

    def read_logs(self, place: Place, *, follow: bool, tail: int) -> Iterator[str]:
        """Read the files that the supervisor writes."""
        is_live = (lambda: find_holder(place.folder.pid_file) is not None) if follow else None
        return read_log(place.folder.log, tail=tail, is_live=is_live)


def scorer_variables(place: Place) -> dict[str, str]:
    """The revision's settings, as its scorer reads them in any runtime."""
    settings = place.settings
    return {
        "DOCKYARD_REVISION": str(place.number),
        "DOCKYARD_GRACE_SECONDS": str(settings.grace_seconds),
        "DOCKYARD_QUIET_SECONDS": str(_QUIET_SECONDS),
        "DOCKYARD_REQUEST_TIMEOUT_SECONDS": str(settings.request_timeout_seconds),
        "DOCKYARD_MAX_BODY_BYTES": str(settings.max_body_bytes),
    }


def _look_at(status: Status, address: str) -> Look:
    if is_ready(address, _LOOK_SECONDS):
        return Look(status=RevisionStatus.READY, address=address)
    if status.phase is Phase.FAILED:
        return look_at_failed(status.exit_code, address)
    return Look(status=RevisionStatus.STARTING, address=address)
