"""What is known of an image without running it: for which architectures it is.

Owns reading that off the sandbox's own registry. Must not pull from any other.
"""

from __future__ import annotations

from dockyard_image.errors import ImageError
from dockyard_image.manifest import decode_index, decode_manifest, decode_object, is_index
from dockyard_image.reference import parse_reference
from dockyard_sandbox.repositories import EcrError, PushedImage, Repositories


class RepositoryImages:
    """The images of the sandbox's registry."""

    def __init__(self, repositories: Repositories) -> None:
        self._repositories = repositories

    def find_architectures(self, image: str) -> frozenset[str]:
        """Such as `{"amd64"}`; empty for an image that is not in the registry, or does not say."""
        try:
            reference = parse_reference(image)
            pushed = self._repositories.find_image(reference.repository, reference.selector)
            return self._read(pushed) if pushed else frozenset()
        except (ImageError, EcrError):
            return frozenset()

    def _read(self, pushed: PushedImage) -> frozenset[str]:
        if is_index(pushed.content, pushed.media_type):
            return frozenset(entry.architecture for entry in decode_index(pushed.content) if entry.os == "linux")
        config = decode_manifest(pushed.content, pushed.media_type).config
        architecture = decode_object(self._repositories.blobs.read(config.digest)).get("architecture")
        return frozenset({architecture}) if isinstance(architecture, str) else frozenset()
