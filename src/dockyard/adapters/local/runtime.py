"""Owns the seam between a local host and what runs its revisions: processes or containers. Must not implement either."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import IO, Protocol

from dockyard.adapters.local.layout import RevisionFolder
from dockyard.domain.deployment import DeploymentKey, LocalSettings, LocalSpec, ProofFailure, RevisionStatus
from dockyard.domain.image import Fingerprint, ImageDigest
from dockyard_image.unpacked import UnpackedImage
from dockyard_scorer.errors import EXIT_DIFFERS, EXIT_PROOF_FAILED

_PROOF_FAILURES: Mapping[int | None, ProofFailure] = MappingProxyType(
    {EXIT_PROOF_FAILED: ProofFailure.RAISES, EXIT_DIFFERS: ProofFailure.DIFFERS}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One revision on this machine."""

    key: DeploymentKey
    number: int
    folder: RevisionFolder
    spec: LocalSpec

    @property
    def settings(self) -> LocalSettings:
        """How it is to run."""
        return self.spec.settings

    def __str__(self) -> str:
        return f"revision {self.number} of {self.key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a revision is at the moment it is looked at."""

    status: RevisionStatus
    address: str | None = None
    """Where it listens, or will; only while something of it is alive."""
    proof_failure: ProofFailure | None = None


def look_at_failed(exit_code: int | None, address: str | None = None) -> Look:
    """A revision that failed, with what its scorer's exit code tells."""
    return Look(status=RevisionStatus.FAILED, address=address, proof_failure=_PROOF_FAILURES.get(exit_code))


class RevisionRuntime(Protocol):
    """Runs revisions. Every method may be repeated, and completes what an earlier call that was killed began."""

    def look(self, place: Place) -> Look:
        """Look at it now: the process or container itself, not what is remembered. Changes nothing."""
        ...

    def start(self, place: Place) -> None:
        """Start it, after ending whatever is left of an earlier start; returns when it has an address."""
        ...

    def keep(self, place: Place) -> None:
        """It gets traffic: from now on it is started again when it crashes."""
        ...

    def stop(self, place: Place) -> None:
        """Let it finish what it has begun, within its grace, and end it. Its log stays."""
        ...

    def forget(self, place: Place) -> None:
        """Remove what only it needed, after it was stopped."""
        ...


class RevisionLogs(Protocol):
    """What revisions have printed. Every runtime is one of these, too."""

    def read_logs(self, place: Place, *, follow: bool, tail: int) -> Iterator[str]:
        """Its last lines; with `follow` also every further one until it ends."""
        ...


class RevisionImages(Protocol):
    """The images that revisions are started from."""

    def find_digest(self, fingerprint: Fingerprint) -> ImageDigest:
        """The manifest digest of an image. Raises `image-missing`."""
        ...

    def find_config_digest(self, fingerprint: Fingerprint) -> str:
        """The digest of its config, by which engines know it. Raises `image-missing`."""
        ...

    def unpack_image(self, fingerprint: Fingerprint) -> UnpackedImage:
        """Unpack what of it is not unpacked yet. Raises `image-missing`, `unpack-failed`."""
        ...

    def write_archive(self, fingerprint: Fingerprint, file: IO[bytes], name: str) -> None:
        """Write what `docker load` reads, under that name. Raises `image-missing`, and what fetching the base raises."""
        ...
