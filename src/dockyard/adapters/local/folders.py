"""Owns the tree of deployments' folders: which there are, and removing them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from dockyard.adapters.files import sync_folder
from dockyard.adapters.local.layout import DeploymentFolder
from dockyard.adapters.local.state import read_state
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import DockyardError


class Folders:
    """The folders below `<home>/local`, which need not exist."""

    def __init__(self, home: Path) -> None:
        # Daemons are told the whole path, and must be told the same one whichever folder a command is called in.
        self._root = home.resolve() / "local"

    def find(self, key: DeploymentKey) -> DeploymentFolder:
        """Where a deployment's files lie, or would."""
        return DeploymentFolder(path=self._root / key.environment / key.name)

    def make(self, folder: DeploymentFolder) -> None:
        """Make a deployment's folder, for our user's eyes only: settings may hold what others should not read."""
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.path.mkdir(parents=True, exist_ok=True)

    def list_keys(self) -> tuple[DeploymentKey, ...]:
        """The deployments of which there is a folder, sorted."""
        paths = sorted(path for path in self._root.glob("*/*") if path.is_dir())
        return tuple(DeploymentKey(environment=path.parent.name, name=path.name) for path in paths)

    def list_ports(self) -> frozenset[int]:
        """The ports that deployments have, whether or not their forwarders run."""
        return frozenset(self._read_ports())

    def delete_revision(self, folder: DeploymentFolder, number: int) -> None:
        """Delete a revision's files, if there are any."""
        self.delete_tree(folder.revision(number).path)

    def delete(self, folder: DeploymentFolder) -> None:
        """Delete a deployment's files, what is remembered of it last, and folders that are empty then."""
        for path in folder.path.glob("*"):
            if path != folder.state:
                self.delete_tree(path)
        self.delete_tree(folder.path)
        for parent in (folder.path.parent, self._root):
            with suppress(OSError):  # it is not empty, or not there
                parent.rmdir()

    def delete_tree(self, path: Path) -> None:
        """Delete a file or a folder with all that is in it; one that is not there is no error."""
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        if path.parent.exists():
            sync_folder(path.parent)

    def _read_ports(self) -> Iterator[int]:
        for key in self.list_keys():
            with suppress(DockyardError):  # one deployment's damaged state is no reason to refuse another one
                state = read_state(self.find(key).state, key)
                if state.port is not None:
                    yield state.port
