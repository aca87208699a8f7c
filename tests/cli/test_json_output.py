"""The contract of `--json`: one envelope for every command and every error, with exactly these keys."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from pathlib import Path

import pytest

from dockyard.adapters.stack.book import FolderBook
from dockyard.cli.json_form import to_json
from dockyard.cli.render import Result
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import BuildError, CancelledError
from dockyard.domain.plan import Step
from dockyard.domain.stack import StackKind, StackWish
from support import results
from support.fake_kit import CommandLine

ENVELOPE = {"schema", "command", "status", "exit_code", "result", "errors"}
KEY = {"environment", "name", "target"}
MODEL = {"digest", "source", "name", "version", "model_id", "run_id", "registry"}
PLAN = {"key", "steps", "changes", "observed_at", "revision", "previous", "endpoint", "notes"}
STEP = {"type", "phase", "description"}
CHANGE = {"what", "before", "after"}
OUTCOME = {"step", "description", "status", "seconds", "error_code", "error", "facts"}
FAILURE = {"code", "message", "hint", "details"}
FINDING = {"code", "severity", "message", "remedy"}
SPEC = {"model", "fingerprint", "settings"}
SETTINGS = {"runtime", "env", "ready_timeout_seconds", "grace_seconds", "request_timeout_seconds", "max_body_bytes"}
DEPLOY = {"status", "key", "endpoint", "revision", "previous", "model", "image", "plan", "outcomes", "notes", "failures"}
ROW = {"key", "state", "endpoint", "revision", "revisions", "model", "image", "capacity", "since", "is_recorded"}
ATTEMPT = {"id", "key", "kind", "status", "actor", "started", "finished", "model", "revision", "previous", "endpoint"}
ATTEMPT |= {"plan", "outcomes", "failure", "git_revision", "run_id"}
ENTRY = {"attempt_id", "key", "registry", "run_id"}
VALUE = {"path", "value", "source", "origin"}
STEPS: Mapping[str, set[str]] = {
    "BuildImage": {"fingerprint", "builder", "reason"},
    "StartRevision": {"number", "spec", "is_new"},
    "WaitReady": {"number", "timeout_seconds"},
    "SmokeTest": {"number", "fingerprint", "requests"},
    "ShiftTraffic": {"number", "previous", "port", "previous_port"},
    "StopRevision": {"number"},
    "RemoveRevision": {"number", "reason"},
    "RemoveDeployment": {"key"},
    "SetAlias": {"name", "alias", "version"},
    "WriteRecord": {"key", "status", "number"},
    "CreateRepository": {"name"},
    "CreateRole": {"name", "spec"},
    "PushImage": {"fingerprint", "repository"},
    "UploadModel": {"name", "spec"},
    "CreateModel": {"number", "name", "spec"},
    "CreateEndpointConfig": {"number", "name", "spec"},
    "CreateShadowConfig": {"name", "production", "production_spec", "shadow", "shadow_spec", "percent"},
    "DeleteShadowConfig": {"name"},
    "PutAlarms": {"endpoint", "policy", "previous", "of_component"},
    "WaitSettled": {"endpoint", "status", "timeout_seconds"},
    "ReplaceEndpoint": {"endpoint", "timeout_seconds"},
    "CreateEndpoint": {"endpoint", "config", "number", "is_host"},
    "UpdateEndpoint": {"endpoint", "config", "number", "previous_config", "rollout", "alarms", "keeps_counts", "is_host"},
    "WaitInService": {"endpoint", "config", "number", "timeout_seconds", "in_shadow", "is_host"},
    "MarkServed": {"number", "name", "on_model"},
    "PutScaling": {"endpoint", "scaling", "of_component"},
    "RegisterPackage": {"number", "name", "spec", "package"},
    "CreateHostConfig": {"name", "host"},
    "DeleteHostConfig": {"name"},
    "CreateComponent": {"endpoint", "model", "number", "spec"},
    "UpdateComponent": {
        "endpoint",
        "model",
        "number",
        "spec",
        "previous",
        "previous_spec",
        "copies",
        "rollout",
        "alarms",
    },
    "WaitComponentSettled": {"endpoint", "status", "timeout_seconds"},
    "WaitComponent": {"endpoint", "model", "number", "timeout_seconds"},
    "DeleteComponent": {"endpoint", "timeout_seconds"},
    "DeleteEndpoint": {"endpoint", "timeout_seconds"},
    "DeleteRevision": {"number", "name", "reason"},
    "DeleteSupplies": {"endpoint", "repository", "role", "has_alarms"},
    "GrantJobAccess": {"role", "job"},
    "CreateJobModel": {"name", "spec"},
    "StartTransform": {"job"},
    "WaitTransform": {"name", "timeout_seconds"},
    "CleanUpJobs": {"model", "role"},
    "CheckManifests": {"number", "spec", "policy"},
    "ApplyManifests": {"number", "spec", "policy", "previous", "previous_policy", "traffic"},
    "WaitRollout": {"number", "timeout_seconds", "is_candidate"},
    "ConfirmRevision": {"number"},
    "StartCandidate": {"number", "spec", "policy", "previous_policy", "pods"},
    "SplitTraffic": {"number", "spec", "policy", "traffic", "pods", "stable_pods", "timeout_seconds"},
    "WatchCandidate": {"number", "stable", "seconds", "gate"},
    "DropCandidate": {"number", "policy"},
    "RetireCandidate": {"number", "policy"},
}

CASES: tuple[tuple[list[str], str, str, set[str]], ...] = (
    (["deploy", "local", "-m", "wine"], "deploy local", "deployed", DEPLOY),
    (["deploy", "local", "-m", "wine", "--plan"], "deploy local", "planned", DEPLOY),
    (["rollback", "wine"], "rollback", "rolled-back", DEPLOY),
    (["delete", "wine"], "delete", "deleted", {"status", "key", "plan", "outcomes", "notes", "failures"}),
    (
        ["batch", "sagemaker", "-m", "wine", "--input", "s3://bucket/in", "--output", "s3://bucket/answers"],
        "batch sagemaker",
        "done",
        {"status", "key", "job", "output", "model", "image", "plan", "outcomes", "notes", "failures"},
    ),
    (
        ["build", "-m", "wine"],
        "build",
        "built",
        {"status", "model", "image", "fingerprint", "builder", "reason", "size_bytes", "has_proof", "notes"},
    ),
    (
        ["render", "k8s", "-m", "wine", "-o", "out", "--namespace", "models"],
        "render k8s",
        "rendered",
        {"status", "key", "folder", "form", "revision", "model", "image", "written", "removed", "notes", "failures"},
    ),
    (["status"], "status", "done", {"rows", "notes"}),
    (["history", "wine"], "history", "done", {"key", "attempts", "notes"}),
    (["logs", "wine"], "logs", "done", {"key", "lines"}),
    (["predict", "wine"], "predict", "done", {"key", "endpoint", "value", "seconds"}),
    (["promote", "wine"], "promote", "promoted", {"status", "key", "model", "alias", "version", "previous_version"}),
    (["drift"], "drift", "drifted", {"deployments", "notes", "failures"}),
    (["gc"], "gc", "done", {"status", "items", "freed_bytes", "notes", "failures"}),
    (["sync"], "sync", "done", {"sent", "pending", "failures"}),
    (["doctor"], "doctor", "done", {"findings"}),
    (["config", "show"], "config show", "done", {"file", "values"}),
    (["config", "validate"], "config validate", "done", {"file", "environments"}),
    (["config", "schema"], "config schema", "done", {"schema"}),
    (["sandbox", "status"], "sandbox status", "unchanged", {"status", "is_up", "url", "runner", "environment"}),
    (
        ["stack", "status"],
        "stack status",
        "done",
        {"status", "name", "kind", "is_up", "is_ready", "url", "environment", "notes", "answer"},
    ),
    (["stack", "logs"], "stack logs", "done", {"name", "lines"}),
)


def keys_at(value: object, *path: str | int) -> set[str]:
    """The keys of the object that a path leads to."""
    for part in path:
        assert isinstance(value, dict | list)
        value = value[part]  # type: ignore[index]
    assert isinstance(value, dict)
    return set(value)


@pytest.mark.parametrize(("arguments", "command", "status", "keys"), CASES, ids=[" ".join(case[0]) for case in CASES])
def test_every_command_prints_one_envelope(
    dockyard: CommandLine, arguments: list[str], command: str, status: str, keys: set[str]
) -> None:
    stacks = FolderBook(Path.home() / ".local/state/dockyard/stacks")
    stacks.write(StackWish(name="tracking", kind=StackKind.LOCAL))
    ended = dockyard(*arguments, "--json")
    envelope = ended.envelope
    assert set(envelope) == ENVELOPE
    assert (envelope["schema"], envelope["command"], envelope["status"]) == (1, command, status)
    assert (envelope["exit_code"], envelope["errors"]) == (ended.code, [])
    assert keys_at(envelope, "result") == keys
    assert ended.err == ""


def test_the_cases_cover_every_result() -> None:
    known = {frozenset(case[3]) for case in CASES}
    assert {frozenset(field.name for field in dataclasses.fields(one)) for one in typing.get_args(Result)} == known


def test_keys_within_a_deploy(dockyard: CommandLine) -> None:
    envelope = dockyard.returning(deployed=results.PARTIAL)("deploy", "local", "-m", "wine", "--json").envelope
    assert keys_at(envelope, "result", "key") == KEY
    assert keys_at(envelope, "result", "model") == MODEL
    assert keys_at(envelope, "result", "plan") == PLAN
    assert keys_at(envelope, "result", "plan", "changes", 0) == CHANGE
    assert keys_at(envelope, "result", "plan", "steps", 1, "spec") == SPEC
    assert keys_at(envelope, "result", "plan", "steps", 1, "spec", "settings") == SETTINGS
    assert keys_at(envelope, "result", "outcomes", 0) == OUTCOME
    assert keys_at(envelope, "result", "outcomes", 0, "facts") == {"latencies", "requests"}
    assert keys_at(envelope, "result", "failures", 0) == FAILURE


def test_keys_of_every_step() -> None:
    assert {one.__name__ for one in typing.get_args(Step)} == set(STEPS)
    for one in typing.get_args(Step):
        assert {field.name for field in dataclasses.fields(one)} | STEP == STEPS[one.__name__] | STEP
    steps = to_json(results.PLAN.steps + results.DELETE_PLAN.steps)
    assert isinstance(steps, list)
    for step in steps:
        assert isinstance(step, dict)
        assert set(step) == STEPS[str(step["type"])] | STEP


def test_keys_within_the_other_results(dockyard: CommandLine) -> None:
    assert keys_at(dockyard("status", "--json").envelope, "result", "rows", 0) == ROW
    assert keys_at(dockyard("history", "wine", "--json").envelope, "result", "attempts", 0) == ATTEMPT
    drift = dockyard("drift", "--json").envelope
    assert keys_at(drift, "result", "deployments", 0) == {"key", "plan", "findings"}
    assert keys_at(drift, "result", "deployments", 0, "findings", 0) == FINDING
    assert keys_at(dockyard("gc", "--json").envelope, "result", "items", 0) == {"kind", "name", "size_bytes"}
    assert keys_at(dockyard("sync", "--json").envelope, "result", "sent", 0) == ENTRY
    assert keys_at(dockyard("doctor", "--json").envelope, "result", "findings", 0) == FINDING
    assert keys_at(dockyard("config", "show", "--json").envelope, "result", "values", 0) == VALUE


def test_an_error_has_the_same_envelope_without_result(dockyard: CommandLine) -> None:
    error = BuildError("build-failed", "no wheel", hint="use the engine", details=("line",))
    ended = dockyard.returning(error=error)("deploy", "local", "-m", "wine", "--json")
    assert ended.err == ""
    assert ended.envelope == {
        "schema": 1,
        "command": "deploy local",
        "status": "failed",
        "exit_code": 1,
        "result": None,
        "errors": [{"code": "build-failed", "message": "no wheel", "hint": "use the engine", "details": ["line"]}],
    }


def test_a_partial_result_tells_result_and_errors(dockyard: CommandLine) -> None:
    envelope = dockyard.returning(deployed=results.PARTIAL)("deploy", "local", "-m", "wine", "--json").envelope
    assert (envelope["status"], envelope["exit_code"]) == ("partial", 3)
    assert keys_at(envelope, "errors", 0) == FAILURE
    assert keys_at(envelope, "result") == DEPLOY


def test_an_interrupt_has_its_own_status(dockyard: CommandLine) -> None:
    envelope = dockyard.returning(error=CancelledError("cancelled", "stopped"))("status", "--json").envelope
    assert (envelope["status"], envelope["exit_code"]) == ("interrupted", 130)


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["deploy", "local", "--json"], "deploy local"),
        (["--json", "deploy", "nowhere"], "deploy"),
        (["nothing", "--json"], ""),
        (["--json"], ""),
        (["logs", "wine", "-f", "--json"], "logs"),
    ],
)
def test_wrong_usage_has_the_envelope_too(dockyard: CommandLine, arguments: list[str], command: str) -> None:
    ended = dockyard(*arguments)
    assert (ended.envelope["command"], ended.envelope["exit_code"]) == (command, 2)
    assert keys_at(ended.envelope, "errors", 0) == FAILURE
    assert ended.err == ""


def test_a_value_that_is_like_the_switch_is_not_the_switch(dockyard: CommandLine) -> None:
    assert dockyard("predict", "wine", "-d", "--json").out.startswith('{"predictions"')


def test_a_models_variables_are_listed_without_values() -> None:
    steps = to_json(results.PLAN.steps)
    assert isinstance(steps, list)
    start = steps[1]
    assert isinstance(start, dict)
    assert start["spec"]["settings"]["env"] == {"API_TOKEN": "***"}  # type: ignore[call-overload,index]


def test_a_value_without_form_is_a_defect() -> None:
    with pytest.raises(TypeError, match="set has no form in JSON"):
        to_json({1})
    assert to_json(DeploymentKey(environment="e", name="n")) == {"environment": "e", "name": "n", "target": "local"}
