"""Small real models, made by MLflow itself, for whoever needs one in a test.

Each function saves one model into the folder `path` (which must not exist) and returns it. Custom models are logged as
code (`support/pyfuncs`), so that nothing depends on pickles of a test module.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
from mlflow.models import ModelSignature, infer_signature
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import KNeighborsClassifier

_PYFUNCS = Path(__file__).parent / "pyfuncs"
_TRUSTED_TYPES = ("sklearn.metrics._dist_metrics.EuclideanDistance64", "sklearn.neighbors._kd_tree.KDTree")

KNN_POINTS = (
    (2, 10), (2, 6), (11, 11), (6, 9), (6, 5), (1, 2), (5, 10), (4, 9), (10, 12), (7, 5), (9, 11), (4, 6), (3, 10),
    (3, 8), (6, 11),
)  # fmt: skip
KNN_LABELS = ("C2", "C1", "C3", "C2", "C1", "C1", "C2", "C2", "C3", "C1", "C3", "C1", "C2", "C2", "C2")


def save_sklearn_model(path: Path) -> Path:
    """A linear regression over the named columns `acid`, `sugar`, `alcohol`, with signature and input example."""
    table = _wine()
    model = LinearRegression().fit(table, 2 * table["acid"] + table["alcohol"] / 3)
    _save_sklearn(model, path, signature=infer_signature(table, model.predict(table)), example=table.head(2))
    return path


def save_knn_model(path: Path) -> Path:
    """A classifier trained on a plain array, with a tensor signature: `[[2, 10]]` is C2."""
    points, labels = np.array(KNN_POINTS, dtype=np.float64), np.array(KNN_LABELS)
    model = KNeighborsClassifier(n_neighbors=4, metric="euclidean").fit(points, labels)
    _save_sklearn(model, path, signature=infer_signature(points, model.predict(points)), example=points[:1])
    return path


def save_unsigned_knn_model(path: Path) -> Path:
    """The same classifier without signature and without input example."""
    model = KNeighborsClassifier(n_neighbors=4, metric="euclidean").fit(np.array(KNN_POINTS), np.array(KNN_LABELS))
    _save_sklearn(model, path, signature=None, example=None)
    return path


def save_params_model(path: Path) -> Path:
    """A custom model with parameters (`factor`, `shift`) that answers with a table."""
    table = _wine()[["acid", "sugar"]]
    signature = infer_signature(table, table, params={"factor": 2.0, "shift": 1.0})
    return _save_pyfunc("with_params", path, signature=signature, example=table.head(1))


def save_commanded_model(path: Path) -> Path:
    """A model that sleeps, raises, exits … as its input says: columns `command` (text) and `value` (number)."""
    table = pd.DataFrame({"command": ["double"], "value": [1.5]})
    return _save_pyfunc("commanded", path, signature=infer_signature(table), example=table)


def save_random_model(path: Path) -> Path:
    """A model that answers its input example with another number each time."""
    table = pd.DataFrame({"command": ["random"], "value": [1.5]})
    return _save_pyfunc("commanded", path, signature=infer_signature(table), example=table)


def save_typed_model(path: Path) -> Path:
    """A model whose signature is its type hint: a list of texts."""
    return _save_pyfunc("typed", path, signature=None, example=["one"])


def save_raising_model(path: Path) -> Path:
    """A model whose prediction raises an exception that quotes its input."""
    table = _wine().head(1)
    return _save_pyfunc("raising", path, signature=infer_signature(table), example=table)


def save_slow_loading_model(path: Path) -> Path:
    """A model that takes `TEST_LOAD_SECONDS` (default 1) of its environment to load."""
    table = _wine().head(1)
    return _save_pyfunc("slow_loading", path, signature=infer_signature(table), example=table)


def save_never_ready_model(path: Path) -> Path:
    """A model that never finishes loading."""
    table = _wine().head(1)
    return _save_pyfunc("never_ready", path, signature=infer_signature(table), example=table)


def _wine() -> pd.DataFrame:
    return pd.DataFrame({"acid": [7.0, 6.3, 8.1, 7.2], "sugar": [20.7, 1.6, 6.9, 8.5], "alcohol": [8.8, 9.5, 10.1, 9.9]})


def _save_sklearn(
    model: object, path: Path, *, signature: ModelSignature | None, example: pd.DataFrame | np.ndarray | None
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlflow.sklearn.save_model(
            model,
            str(path),
            signature=signature,
            input_example=example,
            skops_trusted_types=list(_TRUSTED_TYPES),
            pip_requirements=_pin("mlflow-skinny", "numpy", "pandas", "scikit-learn", "scipy", "skops"),
        )


def _save_pyfunc(name: str, path: Path, *, signature: ModelSignature | None, example: pd.DataFrame | list[str]) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlflow.pyfunc.save_model(
            str(path),
            python_model=str(_PYFUNCS / f"{name}.py"),
            signature=signature,
            input_example=example,  # with a signature given, MLflow does not ask the model
            pip_requirements=_pin("mlflow-skinny", "numpy", "pandas"),
        )
    return path


def _pin(*distributions: str) -> Sequence[str]:
    return [f"{name}=={version(name)}" for name in distributions]
