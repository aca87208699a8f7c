"""Fits a nearest-neighbour classifier to 15 points of a plane, logs it to MLflow and registers it.

Owns the training only. Where runs and models go is MLflow's to say (``MLFLOW_TRACKING_URI``).
"""

from __future__ import annotations

from importlib.metadata import version

import mlflow
import mlflow.sklearn
import numpy as np
from mlflow.models import infer_signature
from sklearn.neighbors import KNeighborsClassifier

EXPERIMENT = "KNNUsingMLFlow"
REGISTERED_MODEL = "TrainedKNNModel"
NEIGHBOURS = 4
# The model file names its types and refuses to load those that its reader does not trust: these two hold the points.
TRUSTED_TYPES = ("sklearn.metrics._dist_metrics.EuclideanDistance64", "sklearn.neighbors._kd_tree.KDTree")
# What serves the model needs these, in the versions that trained it; MLflow adds itself.
REQUIREMENTS = ("numpy", "pandas", "scikit-learn", "scipy", "skops")

LABELLED_POINTS = (
    ((2, 10), "C2"),
    ((2, 6), "C1"),
    ((11, 11), "C3"),
    ((6, 9), "C2"),
    ((6, 5), "C1"),
    ((1, 2), "C1"),
    ((5, 10), "C2"),
    ((4, 9), "C2"),
    ((10, 12), "C3"),
    ((7, 5), "C1"),
    ((9, 11), "C3"),
    ((4, 6), "C1"),
    ((3, 10), "C2"),
    ((3, 8), "C2"),
    ((6, 11), "C2"),
)


def main() -> None:
    """Fit, log, register, and say what came of it."""
    points = np.array([point for point, _ in LABELLED_POINTS], dtype="float64")
    labels = np.array([label for _, label in LABELLED_POINTS])
    mlflow.set_experiment(EXPERIMENT)
    with mlflow.start_run():
        model = KNeighborsClassifier(n_neighbors=NEIGHBOURS, metric="euclidean").fit(points, labels)
        accuracy = float(model.score(points, labels))

        mlflow.log_params({"n_neighbors": NEIGHBOURS, "metric": "euclidean"})
        mlflow.log_metric("training_accuracy", accuracy)
        logged = mlflow.sklearn.log_model(
            model,
            name="model",
            signature=infer_signature(points, model.predict(points)),
            input_example=points[:1],
            pip_requirements=[f"{package}=={version(package)}" for package in REQUIREMENTS],
            registered_model_name=REGISTERED_MODEL,
            skops_trusted_types=list(TRUSTED_TYPES),
        )

    print(f"KNeighborsClassifier (n_neighbors={NEIGHBOURS}, metric=euclidean)")
    print(f"  training accuracy: {accuracy}")
    print(f"Registered {REGISTERED_MODEL} version {logged.registered_model_version}")


if __name__ == "__main__":
    main()
