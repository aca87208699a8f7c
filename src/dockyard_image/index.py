"""The store's table of contents: `index.json` of an OCI image layout.

Owns reading and changing it. A change is one atomic replacement under a lock, so that a killed writer leaves the old table and
two writers both get their entry in. Must not touch blobs.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dockyard_image.digest import is_digest
from dockyard_image.errors import StoreError
from dockyard_image.files import lock_file, write_atomically
from dockyard_image.manifest import Descriptor, describe, encode_json
from dockyard_image.media import OCI_INDEX


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexEntry:
    """One listed image and its annotations."""

    descriptor: Descriptor
    annotations: tuple[tuple[str, str], ...]

    def annotation(self, key: str) -> str:
        """An annotation's value, or nothing."""
        return dict(self.annotations).get(key, "")

    def with_annotation(self, key: str, value: str) -> IndexEntry:
        """The same entry with an annotation set, or dropped when `value` is empty."""
        kept = dict(self.annotations) | {key: value}
        return IndexEntry(
            descriptor=self.descriptor, annotations=tuple(sorted((name, text) for name, text in kept.items() if text))
        )


Change = Callable[[tuple[IndexEntry, ...]], tuple[IndexEntry, ...]]


class Index:
    """The table of one layout folder."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._path = root / "index.json"

    def read(self) -> tuple[IndexEntry, ...]:
        """The entries, oldest first. Raises StoreError, code `store-damaged`."""
        try:
            document = json.loads(self._path.read_bytes())
            return tuple(_decode(entry) for entry in document["manifests"])
        except FileNotFoundError:
            return ()
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            hint = "Move the folder away; images are built or pulled again when they are needed."
            raise StoreError("store-damaged", f"{self._path.name} of the image store cannot be read", hint) from error

    def change(self, change: Change) -> None:
        """Replace the entries by what `change` makes of them, with nobody else in between."""
        with lock_file(self._root / "index.lock"):
            before = self.read()
            after = change(before)
            if after != before or not self._path.exists():
                self._write(after)

    def _write(self, entries: tuple[IndexEntry, ...]) -> None:
        layout = self._root / "oci-layout"
        if not layout.exists():
            with write_atomically(layout) as file:
                file.write(encode_json({"imageLayoutVersion": "1.0.0"}))
        manifests = [describe(entry.descriptor) | {"annotations": dict(entry.annotations)} for entry in entries]
        with write_atomically(self._path) as file:
            file.write(encode_json({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests}))


def _decode(entry: dict[str, Any]) -> IndexEntry:
    if not is_digest(entry["digest"]):
        raise ValueError("not a digest")
    annotations = entry.get("annotations") or {}
    return IndexEntry(
        descriptor=Descriptor(media_type=str(entry["mediaType"]), digest=entry["digest"], size=int(entry["size"])),
        annotations=tuple(sorted((str(key), str(value)) for key, value in annotations.items())),
    )
