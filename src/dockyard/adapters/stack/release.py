"""Owns a tracking stack in a cluster: a release of the chart by the real Helm, and Jobs made of its own templates."""

from __future__ import annotations

import json
import secrets
import subprocess
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dockyard.adapters.stack.embedded import find_reason
from dockyard.adapters.stack.image import RunProgram
from dockyard.domain.errors import UnavailableError, UsageError
from dockyard.domain.stack import StackLook, StackWish

if TYPE_CHECKING:
    from dockyard.adapters.k8s.api import KubeApi

Json = dict[str, Any]
_TIMEOUT = "10m"
_JOB_SECONDS = 6 * 3600.0
_POLL_SECONDS = 1.0
_KEPT_SECONDS = 3600
_LONGEST_NAME = 63


class StackRelease:
    """The stack that is a release of the chart."""

    def __init__(self, wish: StackWish, api: KubeApi, run: RunProgram, sleep: Callable[[float], None] = time.sleep) -> None:
        self._wish = wish
        self._api = api
        self._run = run
        self._sleep = sleep

    def start(self) -> None:
        """Install or upgrade the release, and wait for it. Raises UnavailableError `helm-failed`."""
        wish = self._wish
        values = [part for file in wish.values for part in ("--values", file)]
        if wish.image:
            values += ["--set-json", f"image={json.dumps(split_image(wish.image))}"]
        self._helm("upgrade", wish.name, wish.chart, "--install", *values, "--wait", "--timeout", _TIMEOUT)

    def look(self) -> StackLook:
        """What the Deployment and the Service say."""
        found = self._api.get(f"{self._path('apps/v1')}/deployments/{self._title}")
        url = self._find_url()
        if found is None or url is None:
            return StackLook(is_up=False, is_ready=False)
        is_ready = bool(found.get("status", {}).get("availableReplicas"))
        note = f"from outside the cluster: `kubectl -n {self._api.namespace} port-forward service/{self._title} 5000:http`"
        return StackLook(
            is_up=True,
            is_ready=is_ready,
            url=url,
            notes=(note,) if urlsplit(url).hostname == f"{self._title}.{self._api.namespace}" else (),
            environment={"MLFLOW_TRACKING_URI": url},
        )

    def run(self, command: str, backup: str) -> Mapping[str, object]:
        """Run a command as a Job. Raises UnavailableError `stack-failed`, UsageError `backups-off`."""
        spec = self._make_migration() if command == "migrate" else self._make_backup()
        spec["backoffLimit"] = 0
        spec["ttlSecondsAfterFinished"] = _KEPT_SECONDS
        spec["template"]["spec"]["containers"][0]["args"] = [command, *(("--backup", backup) if backup else ())]
        ending = f"-{command}-{secrets.token_hex(3)}"
        name = self._title[: _LONGEST_NAME - len(ending)] + ending
        labels = spec["template"]["metadata"]["labels"]
        body = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name, "labels": labels}, "spec": spec}
        self._api.ask(f"{self._path('batch/v1')}/jobs", body)
        has_succeeded = self._wait_for_job(name)
        lines = self._read_job(name)
        if not has_succeeded:
            raise UnavailableError("stack-failed", f"`{command}` failed: {find_reason(lines)}", details=lines[-20:])
        return find_answer(lines)

    def read_logs(self, tail: int) -> tuple[str, ...]:
        """The last lines of each server."""
        selector = f"dockyard.io/stack={self._title},app.kubernetes.io/component=server"
        pods = self._api.list(f"{self._path('v1')}/pods", selector)
        return tuple(line for pod in pods for line in self._read_pod(pod, tail))

    def remove(self, *, with_data: bool) -> None:
        """Uninstall the release; `with_data` its volumes, too. A database or bucket outside the release is never touched."""
        self._helm("uninstall", self._wish.name, "--ignore-not-found", "--wait", "--timeout", _TIMEOUT)
        if with_data:
            for component in ("mysql", "s3"):
                self._api.delete(f"{self._path('v1')}/persistentvolumeclaims/data-{self._title}-{component}-0")

    @property
    def _title(self) -> str:
        """The name of what the release makes, as the chart's template `tracking.name` has it."""
        name = self._wish.name
        return name[:40].rstrip("-") if "tracking" in name else f"{name[:31].rstrip('-')}-tracking"

    def _path(self, version: str) -> str:
        return f"/{'api' if version == 'v1' else 'apis'}/{version}/namespaces/{self._api.namespace}"

    def _helm(self, *arguments: str) -> None:
        context = ("--kube-context", self._wish.context) if self._wish.context else ()
        try:
            ended = self._run(["helm", *arguments, "--namespace", self._api.namespace, *context])
        except FileNotFoundError:
            hint = "install Helm 3 or 4, and have it on PATH"
            raise UnavailableError("helm-failed", "there is no program `helm`", hint=hint) from None
        if ended.returncode != 0:
            details = tuple(ended.stderr.splitlines()[-20:])
            raise UnavailableError("helm-failed", f"`helm {arguments[0]}` failed", details=details)

    def _find_url(self) -> str | None:
        """What the chart has derived from its values."""
        service = self._api.get(f"{self._path('v1')}/services/{self._title}") or {}
        url: str | None = service.get("metadata", {}).get("annotations", {}).get("dockyard.io/url")
        return url

    def _make_backup(self) -> Json:
        found = self._api.get(f"{self._path('batch/v1')}/cronjobs/{self._title}-backup")
        if found is None:
            raise UsageError(
                "backups-off",
                f"the stack `{self._wish.name}` has no place for backups",
                hint="set `backup.enabled` in the chart's values, then `dockyard stack upgrade --without-backup`",
            )
        spec: Json = found["spec"]["jobTemplate"]["spec"]
        return spec

    def _make_migration(self) -> Json:
        """A server's pod, as the migration's: nobody sends it requests."""
        found = self._api.get(f"{self._path('apps/v1')}/deployments/{self._title}")
        if found is None:
            raise UnavailableError(
                "stack-failed", f"the stack `{self._wish.name}` is not up", hint="`dockyard stack up` migrates"
            )
        template: Json = found["spec"]["template"]
        template["metadata"]["labels"]["app.kubernetes.io/component"] = "migration"
        template["spec"]["restartPolicy"] = "Never"
        for unwanted in ("ports", "startupProbe", "livenessProbe", "readinessProbe", "lifecycle"):
            template["spec"]["containers"][0].pop(unwanted, None)
        return {"template": template}

    def _wait_for_job(self, name: str) -> bool:
        for _ in range(int(_JOB_SECONDS / _POLL_SECONDS)):
            found = self._api.get(f"{self._path('batch/v1')}/jobs/{name}") or {}
            for one in found.get("status", {}).get("conditions", []):
                if one["type"] in {"Complete", "Failed"} and one["status"] == "True":
                    return bool(one["type"] == "Complete")
            self._sleep(_POLL_SECONDS)
        return False

    def _read_job(self, name: str) -> tuple[str, ...]:
        pods = self._api.list(f"{self._path('v1')}/pods", f"batch.kubernetes.io/job-name={name}")
        return tuple(line for pod in pods for line in self._read_pod(pod, 200))

    def _read_pod(self, pod: Json, tail: int) -> list[str]:
        path = f"{self._path('v1')}/pods/{pod['metadata']['name']}/log"
        status, body = self._api.call("GET", path, {"tailLines": str(tail)})
        return body.decode(errors="replace").splitlines() if status == 200 else []


def split_image(image: str) -> Mapping[str, str]:
    """The chart's `image` for REPOSITORY[:TAG][@DIGEST]."""
    name, _, digest = image.partition("@")
    repository, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        repository, tag = name, ""
    return {"repository": repository, "tag": tag, "digest": digest}


def find_answer(lines: tuple[str, ...]) -> Mapping[str, object]:
    """The JSON object that a command has printed among the lines of its log, which have a level."""
    for line in reversed(lines):
        if line.startswith("{"):
            said = json.loads(line)
            if "level" not in said:
                return dict(said)
    return {}


def run_program(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a program and return how it ended."""
    return subprocess.run(command, capture_output=True, text=True, check=False)
