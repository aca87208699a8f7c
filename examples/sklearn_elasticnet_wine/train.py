"""Trains an ElasticNet on the white wine quality data, logs it to MLflow and registers it.

Owns the training only. Where runs and models go is MLflow's to say (``MLFLOW_TRACKING_URI``, or ``mlflow run``).
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import mlflow
import mlflow.sklearn
import numpy as np
import pandas as pd
from mlflow.models import infer_signature
from sklearn.linear_model import ElasticNet
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
from sklearn.model_selection import train_test_split

DATA = Path(__file__).resolve().parent / "data" / "wine-quality.csv"
SPLIT_SEED = 40
FIT_SEED = 42
EXAMPLE_ROWS = 2
# What serves the model needs these, in the versions that trained it. MLflow adds itself; left to guess the rest, it
# also names packages that only happen to be installed beside them.
REQUIREMENTS = ("numpy", "pandas", "scikit-learn", "scipy", "skops")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What one training run is asked for."""

    alpha: float
    l1_ratio: float
    registered_model_name: str


def parse_settings() -> Settings:
    """Read the settings from the command line, as ``MLproject`` passes them."""
    parser = argparse.ArgumentParser(description="Train an ElasticNet on the white wine quality data.")
    parser.add_argument("--alpha", type=float, default=0.5, help="strength of the regularisation")
    parser.add_argument("--l1-ratio", type=float, default=0.5, help="share of L1 in it, 0 to 1")
    parser.add_argument("--registered-model-name", default="my_first_model", help="name in the model registry")
    return Settings(**vars(parser.parse_args()))


def load_wine() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return training and test rows, the same ones every time."""
    # Whole-numbered columns are read as integers, and an integer column in a signature refuses the missing values and
    # the decimals that requests bring later.
    wine = pd.read_csv(DATA).astype("float64")
    # scikit-learn splits with NumPy's global generator when it is given no other.
    np.random.seed(SPLIT_SEED)
    train, test = train_test_split(wine)
    return train, test


def measure(actual: pd.Series[float], predicted: np.ndarray[tuple[int], np.dtype[np.float64]]) -> dict[str, float]:
    """Return the three metrics by the names they are logged under."""
    return {
        "rmse": float(root_mean_squared_error(actual, predicted)),
        "mae": float(mean_absolute_error(actual, predicted)),
        "r2": float(r2_score(actual, predicted)),
    }


def main() -> None:
    """Train, log, register, and say what came of it."""
    settings = parse_settings()
    train, test = load_wine()
    features = train.drop(columns="quality")
    with mlflow.start_run():
        model = ElasticNet(alpha=settings.alpha, l1_ratio=settings.l1_ratio, random_state=FIT_SEED)
        model.fit(features, train["quality"])
        metrics = measure(test["quality"], model.predict(test.drop(columns="quality")))

        mlflow.log_params({"alpha": settings.alpha, "l1_ratio": settings.l1_ratio})
        mlflow.log_metrics(metrics)
        logged = mlflow.sklearn.log_model(
            model,
            name="model",
            signature=infer_signature(features, model.predict(features)),
            input_example=features.head(EXAMPLE_ROWS),
            pip_requirements=[f"{package}=={version(package)}" for package in REQUIREMENTS],
            registered_model_name=settings.registered_model_name,
        )

    print(f"ElasticNet (alpha={settings.alpha}, l1_ratio={settings.l1_ratio})")
    print(f"  RMSE: {metrics['rmse']}")
    print(f"  MAE: {metrics['mae']}")
    print(f"  R2: {metrics['r2']}")
    print(f"Registered {settings.registered_model_name} version {logged.registered_model_version}")


if __name__ == "__main__":
    main()
