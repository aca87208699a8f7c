"""The private names of MLflow's that the tracking server uses are those of the MLflow that is installed."""

from __future__ import annotations

from pathlib import Path

from dockyard_tracking.application import describe_server
from dockyard_tracking.s3 import CONNECT_SECONDS, limit_waiting
from dockyard_tracking.schema import list_schemas, open_scripts
from dockyard_tracking.settings import Database, Settings


def test_variables_are_those_that_mlflow_reads() -> None:
    from mlflow import environment_variables as variables
    from mlflow.server import constants, handlers

    settings = Settings(database=Database(dialect="sqlite", name="m.db"), static_prefix="/mlflow")
    assert set(describe_server(settings)) == {
        constants.BACKEND_STORE_URI_ENV_VAR,
        constants.ARTIFACT_ROOT_ENV_VAR,
        constants.ARTIFACTS_DESTINATION_ENV_VAR,
        constants.SERVE_ARTIFACTS_ENV_VAR,
        handlers.STATIC_PREFIX_ENV_VAR,
        variables._MLFLOW_SGI_NAME.name,
        variables._MLFLOW_IN_JOB_EXECUTOR.name,
    }
    assert variables.MLFLOW_SERVER_ENABLE_JOB_EXECUTION.name == "MLFLOW_SERVER_ENABLE_JOB_EXECUTION"
    assert constants.PROMETHEUS_EXPORTER_ENV_VAR == "prometheus_multiproc_dir"


def test_histories_are_single_lines_that_end_where_mlflow_says() -> None:
    from mlflow.store.db.utils import _get_latest_schema_revision

    tracking, users = (open_scripts(schema) for schema in list_schemas("basic"))
    assert tracking.get_heads() == [_get_latest_schema_revision()]
    assert len(users.get_heads()) == 1
    for scripts in (tracking, users):
        assert not [one.revision for one in scripts.walk_revisions() if one.is_merge_point or one.is_branch_point]


def test_image_pins_the_mlflow_that_is_tested_here() -> None:
    import mlflow

    lock = Path(__file__).parents[2] / "dockerfiles/tracking-server/requirements.txt"
    assert f"mlflow=={mlflow.__version__} " in lock.read_text()


def test_store_that_does_not_answer_is_given_up_on_in_seconds() -> None:
    import boto3
    from botocore.config import Config

    before = Config.OPTION_DEFAULTS["connect_timeout"]
    try:
        limit_waiting()
        made = boto3.client("s3", region_name="us-east-1", config=Config(signature_version="s3v4"))
        assert made.meta.config.connect_timeout == CONNECT_SECONDS
    finally:
        Config.OPTION_DEFAULTS["connect_timeout"] = before
