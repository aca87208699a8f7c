"""A scorer's image without its layers, and models to put into it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from support.scorers import write_image

SaveModel = Callable[[Path], Path]


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Callable[[SaveModel], Path]:
    """Saves a model once a session."""
    root = tmp_path_factory.mktemp("models")

    def save(save_model: SaveModel) -> Path:
        folder = root / save_model.__name__
        return folder if folder.exists() else save_model(folder)

    return save


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    """The image's /opt/dockyard."""
    return write_image(tmp_path / "opt" / "dockyard")
