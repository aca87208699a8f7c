"""A model's folder, written by hand in milliseconds: for tests that look at files and never load the model."""

from __future__ import annotations

import json
from pathlib import Path

MLMODEL = """\
flavors:
  python_function:
    env:
      conda: conda.yaml
      virtualenv: python_env.yaml
    loader_module: mlflow.sklearn
    model_path: model.skops
    predict_fn: predict
    python_version: 3.11.7
  sklearn:
    code: null
    pickled_model: model.skops
    sklearn_version: 1.9.1
mlflow_version: 3.17.2
model_id: null
model_size_bytes: 1234
saved_input_example_info:
  artifact_path: input_example.json
  serving_input_path: serving_input_example.json
  type: dataframe
signature:
  inputs: '[{"type": "double", "name": "acid", "required": true}]'
  outputs: '[{"type": "double", "required": true}]'
  params: null
utc_time_created: '2026-11-22 06:32:19.123456'
"""


def write_model_folder(path: Path, *, mlmodel: str = MLMODEL, content: str = "weights") -> Path:
    """Write a model's folder as MLflow lays it out, and return it."""
    path.mkdir(parents=True)
    (path / "MLmodel").write_text(mlmodel, encoding="utf-8")
    (path / "requirements.txt").write_text("mlflow-skinny==3.17.2\nscikit-learn==1.9.1\n")
    (path / "model.skops").write_text(content)
    (path / "serving_input_example.json").write_text(json.dumps({"dataframe_split": {"columns": ["acid"], "data": [[7.0]]}}))
    (path / "code").mkdir()
    (path / "code" / "extra.py").write_text("VALUE = 1\n")
    return path
