"""Owns the lock of deployments on Kubernetes: a Lease in their namespace, so that two machines do not change one at a time.

A Lease is renewed while it is held, and anybody may take one over that was not renewed for its duration. The file lock of this
machine is held around it; so a Lease that names this machine was left by a command that was killed, and is taken over at once.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from dockyard.adapters.k8s.api import Json, KubeApi
from dockyard.adapters.k8s.labels import label_object
from dockyard.adapters.k8s.refusals import explain_refusal
from dockyard.domain.deployment import DeploymentKey, Target
from dockyard.domain.errors import ConflictError, DockyardError
from dockyard.domain.k8s import derive_object_name
from dockyard.ports import Clock, Locks

_LEASES = "/apis/coordination.k8s.io/v1/namespaces/{}/leases"
_DURATION_SECONDS = 30
_RENEW_SECONDS = 8.0
_PAUSE_SECONDS = 0.5
_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"
_JSON = "application/json"


class LeaseLocks:
    """Locks: this machine's, and for deployments on Kubernetes a Lease as well."""

    def __init__(self, local: Locks, open_api: Callable[[str], KubeApi], clock: Clock, machine: str) -> None:
        """`open_api` reaches the cluster of an environment; `machine` names this machine and this home on it."""
        self._local = local
        self._open_api = open_api
        self._clock = clock
        self._machine = machine
        self._held: dict[DeploymentKey, _Lease] = {}

    @contextmanager
    def hold(self, key: DeploymentKey, owner: str, wait_seconds: float) -> Iterator[None]:
        """Hold the deployment's lock. Raises ConflictError `lock-held`, which says who holds it since when."""
        with self._local.hold(key, owner, wait_seconds):
            if key.target is not Target.K8S:
                yield
                return
            api = self._open_api(key.environment)
            lease = _Lease(api=api, key=key, holder=f"{owner} {self._machine}", machine=self._machine, clock=self._clock)
            lease.acquire(wait_seconds)
            self._held[key] = lease
            try:
                with lease.renewing():
                    yield
            finally:
                del self._held[key]
                lease.release()

    def check(self, key: DeploymentKey) -> None:
        """Look whether the Lease is still ours. Raises ConflictError `lock-lost`."""
        lease = self._held.get(key)
        if lease is not None:
            lease.check()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lease:
    """One Lease, and who we are on it."""

    api: KubeApi
    key: DeploymentKey
    holder: str
    machine: str
    clock: Clock

    @property
    def name(self) -> str:
        """Its name: the deployment's own objects are others."""
        return f"dockyard-{derive_object_name(self.key)}"

    @property
    def folder(self) -> str:
        """Where Leases are."""
        return _LEASES.format(self.api.namespace)

    def acquire(self, wait_seconds: float) -> None:
        """Take it, once it is free or has run out."""
        end = self.clock.monotonic() + wait_seconds
        while True:
            there = self.api.get(f"{self.folder}/{self.name}")
            if (there is None or self._is_free(there)) and self._write(there):
                return
            if there is not None and self.clock.monotonic() >= end:
                raise self._held(there)
            self.clock.sleep(_PAUSE_SECONDS)

    def check(self) -> None:
        """One that is gone is made again; where nobody answers, the next step will tell. Raises ConflictError `lock-lost`."""
        there: Json | None = None
        with suppress(DockyardError):
            there = self.api.get(f"{self.folder}/{self.name}")
            if there is None and self._write(None):
                return
        spec = there["spec"] if there is not None else {"holderIdentity": self.holder}
        if spec.get("holderIdentity") != self.holder:
            raise ConflictError(
                "lock-lost",
                f"{self.key} is being changed by {spec.get('holderIdentity')} since {spec.get('acquireTime')}: "
                "this command did not renew its lock in time",
                hint="nothing was taken back; the same command again completes it, when the other one is done",
            )

    @contextmanager
    def renewing(self) -> Iterator[None]:
        """Renew it every few seconds."""
        stop = threading.Event()
        thread = threading.Thread(target=self._renew_until, args=(stop,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def release(self) -> None:
        """Delete it where it is still ours; one that cannot be deleted runs out."""
        with suppress(DockyardError):
            there = self.api.get(f"{self.folder}/{self.name}")
            if there is not None and there["spec"].get("holderIdentity") == self.holder:
                self.api.delete(f"{self.folder}/{self.name}")

    def _renew_until(self, stop: threading.Event) -> None:
        while not stop.wait(_RENEW_SECONDS):
            with suppress(DockyardError):
                there = self.api.get(f"{self.folder}/{self.name}")
                if there is None or there["spec"].get("holderIdentity") == self.holder:
                    self._write(there)

    def _write(self, there: Json | None) -> bool:
        """Write it as ours; False where somebody else was faster."""
        now = self.clock.now().strftime(_TIME)
        spec = {"holderIdentity": self.holder, "leaseDurationSeconds": _DURATION_SECONDS, "acquireTime": now, "renewTime": now}
        if there is None:
            metadata = {"name": self.name, "labels": label_object(self.key)}
            method, path = "POST", self.folder
        else:
            if there["spec"].get("holderIdentity") == self.holder:
                spec["acquireTime"] = there["spec"].get("acquireTime", now)
            metadata, method, path = there["metadata"], "PUT", f"{self.folder}/{self.name}"
        body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}
        status, answer = self.api.call(method, path, body=(json.dumps(body).encode(), _JSON))
        if status == 409:
            return False
        if status >= 400:
            raise explain_refusal(status, answer, f"write leases/{self.name}")
        return True

    def _is_free(self, there: Json) -> bool:
        spec = there["spec"]
        holder = spec.get("holderIdentity") or ""
        if not holder or holder.endswith(f" {self.machine}"):
            return True
        duration = timedelta(seconds=spec.get("leaseDurationSeconds") or _DURATION_SECONDS)
        return _read_time(spec.get("renewTime")) + duration < self.clock.now()

    def _held(self, there: Json) -> ConflictError:
        spec = there["spec"]
        return ConflictError(
            "lock-held",
            f"{self.key} is being changed by {spec.get('holderIdentity')} since {spec.get('acquireTime')}",
            hint=f"try again when it is done, or with `--lock-wait`; what was killed is free {_DURATION_SECONDS} s later",
        )


def _read_time(text: str | None) -> datetime:
    return datetime.fromisoformat((text or "1970-01-01T00:00:00.000000Z").replace("Z", "+00:00"))
