"""Models that the scorer's tests share, saved and loaded once a session."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dockyard_scorer.environment import prepare_environment
from dockyard_scorer.served_model import ServedModel, load_model
from support import models

SaveModel = Callable[[Path], Path]


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Callable[[SaveModel], Path]:
    """Saves a model once a session: `saved(save_knn_model)` is its folder."""
    root = tmp_path_factory.mktemp("models")
    prepare_environment()

    def save(save_model: SaveModel) -> Path:
        folder = root / save_model.__name__
        return folder if folder.exists() else save_model(folder)

    return save


@pytest.fixture(scope="session")
def loaded(saved: Callable[[SaveModel], Path]) -> Callable[[SaveModel], ServedModel]:
    """Loads a model once a session, as the scorer loads it."""
    known: dict[str, ServedModel] = {}

    def load(save_model: SaveModel) -> ServedModel:
        if save_model.__name__ not in known:
            known[save_model.__name__] = load_model(saved(save_model))
        return known[save_model.__name__]

    return load


@pytest.fixture(scope="session")
def commanded(loaded: Callable[[SaveModel], ServedModel]) -> ServedModel:
    """The model that does what its input says."""
    return loaded(models.save_commanded_model)
