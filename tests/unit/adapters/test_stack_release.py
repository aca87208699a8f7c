"""A stack in a cluster is one call of Helm, and its commands are Jobs of its own templates."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from dockyard.adapters.stack.book import FolderBook
from dockyard.adapters.stack.release import StackRelease, find_answer, split_image
from dockyard.domain.errors import DockyardError
from dockyard.domain.stack import StackKind, StackWish

Json = dict[str, Any]
WISH = StackWish(
    name="team",
    kind=StackKind.K8S,
    context="lab",
    namespace="ml",
    chart="/charts/tracking",
    values=("/a.yaml", "/b.json"),
    image="registry.example:5000/tracking@sha256:aa",
)
POD = {"spec": {"containers": [{"name": "server", "image": "i", "env": ["E"], "ports": [1], "livenessProbe": {}}]}}
LABELS = {"metadata": {"labels": {"dockyard.io/stack": "team-tracking", "app.kubernetes.io/component": "server"}}}


@dataclass(kw_only=True)
class FakeApi:
    """As much of KubeApi as a stack asks."""

    objects: dict[str, Json] = field(default_factory=dict)
    log: str = ""
    condition: str = "Complete"
    made: list[Json] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    namespace: str = "ml"

    def get(self, path: str) -> Json | None:
        if "/jobs/" in path:
            return {"status": {"conditions": [{"type": self.condition, "status": "True"}]}}
        return self.objects.get(path.split("/namespaces/ml/")[1])

    def list(self, _path: str, _selector: str) -> list[Json]:
        return [{"metadata": {"name": "one"}}]

    def ask(self, _path: str, body: Json) -> Json:
        self.made.append(body)
        return body

    def call(self, _method: str, _path: str, _query: Mapping[str, str]) -> tuple[int, bytes]:
        return 200, self.log.encode()

    def delete(self, path: str) -> None:
        self.deleted.append(path)


@dataclass(kw_only=True)
class FakeHelm:
    """Remembers how it was called."""

    code: int = 0
    is_there: bool = True
    calls: list[list[str]] = field(default_factory=list)

    def __call__(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        if not self.is_there:
            raise FileNotFoundError(command[0])
        self.calls.append(command)
        return subprocess.CompletedProcess(command, self.code, stdout="", stderr="Error: no such chart\n")


def open_release(api: FakeApi, helm: FakeHelm | None = None) -> StackRelease:
    return StackRelease(WISH, api, helm or FakeHelm(), lambda _seconds: None)  # type: ignore[arg-type]


def make_cron_job() -> Json:
    spec: Json = json.loads(json.dumps({"template": {**LABELS, **POD}, "backoffLimit": 2}))
    return {"spec": {"jobTemplate": {"spec": spec}}}


def expect_code(code: str, act: Callable[[], object]) -> DockyardError:
    with pytest.raises(DockyardError) as raised:
        act()
    assert raised.value.code == code
    return raised.value


def test_up_is_one_call_of_helm_that_waits() -> None:
    helm = FakeHelm()
    open_release(FakeApi(), helm).start()
    (command,) = helm.calls
    image = '{"repository": "registry.example:5000/tracking", "tag": "", "digest": "sha256:aa"}'
    assert command == [
        *("helm", "upgrade", "team", "/charts/tracking", "--install", "--values", "/a.yaml", "--values", "/b.json"),
        *("--set-json", f"image={image}", "--wait", "--timeout", "10m", "--namespace", "ml", "--kube-context", "lab"),
    ]


def test_helm_that_fails_is_quoted_and_one_that_is_away_is_named() -> None:
    error = expect_code("helm-failed", open_release(FakeApi(), FakeHelm(code=1)).start)
    assert error.details == ("Error: no such chart",)
    assert "no program" in expect_code("helm-failed", open_release(FakeApi(), FakeHelm(is_there=False)).start).message


def test_backup_is_a_job_of_the_cron_jobs_template_and_its_answer_is_found_in_the_log() -> None:
    log = '{"level": "info", "message": "x"}\n{"backup": "b"}\n{"level": "info", "message": "y"}'
    api = FakeApi(objects={"cronjobs/team-tracking-backup": make_cron_job()}, log=log)
    assert open_release(api).run("verify", "b") == {"backup": "b"}
    (job,) = api.made
    assert job["metadata"]["name"].startswith("team-tracking-verify-")
    assert job["spec"]["template"]["spec"]["containers"][0]["args"] == ["verify", "--backup", "b"]
    assert job["spec"]["backoffLimit"] == 0


def test_stack_without_a_place_for_backups_says_which_value_makes_one() -> None:
    assert "backup.enabled" in str(expect_code("backups-off", lambda: open_release(FakeApi()).run("backup", "")).hint)


def test_failed_job_is_told_by_what_it_logged_last() -> None:
    log = '{"level": "error", "message": "stack-not-empty: Table runs has rows."}'
    api = FakeApi(objects={"cronjobs/team-tracking-backup": make_cron_job()}, log=log, condition="Failed")
    error = expect_code("stack-failed", lambda: open_release(api).run("restore", ""))
    assert error.message == "`restore` failed: stack-not-empty: Table runs has rows."


def test_migration_is_a_servers_pod_that_gets_no_requests() -> None:
    api = FakeApi(objects={"deployments/team-tracking": {"spec": {"template": json.loads(json.dumps({**LABELS, **POD}))}}})
    assert open_release(api).run("migrate", "") == {}
    template = api.made[0]["spec"]["template"]
    assert template["metadata"]["labels"]["app.kubernetes.io/component"] == "migration"
    assert template["spec"]["containers"] == [{"name": "server", "image": "i", "env": ["E"], "args": ["migrate"]}]


@pytest.mark.parametrize(
    ("url", "is_inside"),
    [
        ("http://team-tracking.ml", True),
        ("https://team-tracking.ml:8443/mlflow", True),
        ("https://mlflow.example.com", False),
    ],
)
def test_address_is_the_charts_and_one_inside_the_cluster_comes_with_a_way_from_outside(url: str, is_inside: bool) -> None:
    service = {"metadata": {"annotations": {"dockyard.io/url": url}}}
    api = FakeApi(
        objects={"deployments/team-tracking": {"status": {"availableReplicas": 1}}, "services/team-tracking": service}
    )
    look = open_release(api).look()
    assert (look.is_up, look.is_ready, look.url, look.environment) == (True, True, url, {"MLFLOW_TRACKING_URI": url})
    assert ["port-forward service/team-tracking" in note for note in look.notes] == [True] * is_inside


@pytest.mark.parametrize("there", [{}, {"deployments/team-tracking": {}}, {"services/team-tracking": {}}])
def test_stack_without_server_or_service_is_not_up(there: dict[str, Json]) -> None:
    assert not open_release(FakeApi(objects=there)).look().is_up


def test_volumes_go_with_the_data_only() -> None:
    api, helm = FakeApi(), FakeHelm()
    open_release(api, helm).remove(with_data=False)
    assert (api.deleted, helm.calls[0][:3]) == ([], ["helm", "uninstall", "team"])
    open_release(api, helm).remove(with_data=True)
    assert [path.rpartition("/")[2] for path in api.deleted] == ["data-team-tracking-mysql-0", "data-team-tracking-s3-0"]


@pytest.mark.parametrize(
    ("image", "parts"),
    [
        ("tracking", ("tracking", "", "")),
        ("r.example:5000/tracking", ("r.example:5000/tracking", "", "")),
        ("r.example/tracking:3@sha256:aa", ("r.example/tracking", "3", "sha256:aa")),
    ],
)
def test_image_is_split_as_the_chart_has_it(image: str, parts: tuple[str, str, str]) -> None:
    assert tuple(split_image(image).values()) == parts


def test_log_without_an_answer_has_none() -> None:
    assert find_answer(("starting", '{"level": "info"}')) == {}


def test_book_keeps_a_wish_and_tells_of_a_damaged_one(tmp_path: Path) -> None:
    book = FolderBook(tmp_path)
    assert book.find("team") is None
    book.write(WISH)
    assert book.find("team") == WISH
    (tmp_path / "team/stack.json").write_text("{}")
    expect_code("state-corrupt", lambda: book.find("team"))
    book.forget("team")
    assert book.find("team") is None
