"""A store with registered models that behave, misbehave when told to, and cannot be served, for whole commands to work on.

Owns their making, to be done in a process that ends: MLflow keeps databases open.
"""

from __future__ import annotations

import json
import warnings
from importlib.metadata import version
from pathlib import Path

SOUND = "told"
"""Version 1 doubles its input, version 2 triples it, version 3 multiplies it by four."""
ARRAY = "told-array"
"""The same three versions with a tensor for a signature: no table is made for a request, so it costs a third to answer."""
RAISING = "raising"
UNSATISFIABLE = "unsatisfiable"
WITHOUT_PYFUNC = "without-pyfunc"
WITHOUT_EXAMPLE = "without-example"

FACTORS = (2, 3, 4)
FOLDERS = tuple(f"{SOUND}-{factor}" for factor in FACTORS)
"""The same models as folders."""
BODY = b'{"dataframe_records": [{"value": 1.5}]}'
ARRAY_BODY = b'{"inputs": [1.5]}'
ANSWERS = tuple({"predictions": [1.5 * factor]} for factor in FACTORS)
"""What versions 1, 2 and 3 answer to BODY, or to ARRAY_BODY."""


def make_models(folder: Path) -> None:
    """Make `mlflow.db`, and the models' files beside it, in `folder`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for factor in FACTORS:
            _save("told", folder / f"{SOUND}-{factor}", factor=factor)
        _save("raising", folder / RAISING)
        _save("told", folder / UNSATISFIABLE, requirements=["mlflow-skinny==999.0"])
        _save("told", folder / WITHOUT_EXAMPLE, example=None)
        _save("told", folder / WITHOUT_PYFUNC)
    _drop_pyfunc(folder / WITHOUT_PYFUNC / "MLmodel")
    _register(folder, [(SOUND, folder / f"{SOUND}-{factor}") for factor in FACTORS])
    _register(folder, [(name, folder / name) for name in (RAISING, UNSATISFIABLE, WITHOUT_PYFUNC, WITHOUT_EXAMPLE)])


def make_array_models(folder: Path) -> None:
    """Add those that take a tensor to the store in `folder`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for factor in FACTORS:
            _save("told", folder / f"{ARRAY}-{factor}", factor=factor, example="array")
    _register(folder, [(ARRAY, folder / f"{ARRAY}-{factor}") for factor in FACTORS])


def _save(
    code: str, path: Path, *, factor: int = 2, requirements: list[str] | None = None, example: str | None = "table"
) -> None:
    import mlflow
    import numpy as np
    import pandas as pd
    from mlflow.models import infer_signature

    data = np.array([1.5]) if example == "array" else pd.DataFrame({"value": [1.5]})
    mlflow.pyfunc.save_model(
        str(path),
        python_model=str(Path(__file__).parent / "pyfuncs" / f"{code}.py"),
        model_config={"factor": factor},
        signature=infer_signature(data),
        input_example=data if example else None,
        pip_requirements=requirements or [f"{name}=={version(name)}" for name in ("mlflow-skinny", "numpy", "pandas")],
    )


def _drop_pyfunc(mlmodel: Path) -> None:
    mlmodel.write_text(mlmodel.read_text().replace("  python_function:", "  something_else:"))


def _register(folder: Path, versions: list[tuple[str, Path]]) -> None:
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    client = MlflowClient(f"sqlite:///{folder}/mlflow.db", f"sqlite:///{folder}/mlflow.db")
    for name, path in versions:
        try:
            client.create_registered_model(name)
        except MlflowException:  # it has an earlier version
            client.get_registered_model(name)
        client.create_model_version(name, str(path))


def print_version(arguments: list[str]) -> int:
    """A `Main` of `support.commands`: print what the store says of a model version, and of the record of a deployment on it."""
    from mlflow import MlflowClient

    name, version, deployment = arguments
    found = MlflowClient().get_model_version(name, version)
    record = json.loads(found.tags.get(f"dockyard.local.{deployment}", "null"))
    print(json.dumps({"record": record, "aliases": list(found.aliases)}))  # noqa: T201  it is what it is for
    return 0


def register_at_server(arguments: list[str]) -> int:
    """A `Main` of `support.commands`: log a model's folder to the server and register it, as version 1 or the next."""
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    name, folder = arguments
    client = MlflowClient()
    run_id = client.create_run("0").info.run_id
    client.log_artifacts(run_id, folder, "model")
    try:
        client.create_registered_model(name)
    except MlflowException:  # it has an earlier version
        client.get_registered_model(name)
    client.create_model_version(name, f"runs:/{run_id}/model", run_id)
    return 0
