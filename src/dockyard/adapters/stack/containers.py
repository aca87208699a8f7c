"""Owns a tracking stack of containers on this machine: MySQL, S3 and the tracking server's image, on a network of their own.

Only the server's port is published, on loopback. What is kept lies in volumes, which outlive the containers.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dockyard.adapters.local.engine import open_engine, translated_engine
from dockyard.adapters.local.ports import take_port
from dockyard.adapters.stack.container_parts import (
    BACKUPS,
    DATA,
    HOST,
    SECRETS,
    SERVER,
    Part,
    describe_server,
    describe_stores,
    mount,
)
from dockyard.adapters.stack.embedded import answers, find_reason
from dockyard.domain.errors import UnavailableError
from dockyard.domain.stack import StackLook, StackWish

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

LABEL_STACK, LABEL_PART = "dockyard.stack", "dockyard.part"
_LABEL_SPEC = "dockyard.spec-hash"
_ENGINE_SECONDS = 6 * 3600
"""A pull or a backup takes its time, and the engine is silent meanwhile."""
_READY_SECONDS = 180.0
_POLL_SECONDS = 0.2
_LOG_LIMITS = {"max-size": "10m", "max-file": "2"}


class ContainerStack:
    """The stack whose containers, volumes and network have one prefix, which follows from its folder."""

    def __init__(self, folder: Path, wish: StackWish) -> None:
        self._folder = folder
        self._wish = wish
        self._prefix = f"dockyard-{wish.name}-{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:8]}"
        self._connected: DockerClient | None = None

    def start(self) -> None:
        """Start what does not run as wished, after migrating. Raises `port-in-use`, `stack-failed`, `docker-…`."""
        server = describe_server(self._wish)
        if self._runs(server) and self.look().is_ready:
            return
        if self._find(SERVER) is None:
            take_port(HOST, self._wish.port).close()
        self.run("migrate", "")
        with translated_engine("start the tracking server"):
            self._bring_up(server)
        deadline = time.monotonic() + _READY_SECONDS
        while not self.look().is_ready:
            if time.monotonic() > deadline:
                details = self.read_logs(20)
                raise UnavailableError("stack-failed", "the tracking server did not become ready", details=details)
            time.sleep(_POLL_SECONDS)

    def look(self) -> StackLook:
        """Whether its containers run, and its server answers."""
        with translated_engine(f"look at the stack `{self._wish.name}`"):
            running = [one for one in self._list() if one.status == "running"]
        url = f"http://{HOST}:{self._wish.port}"
        volumes = ", ".join(f"{self._prefix}-{name}" for name in (*DATA, BACKUPS))
        notes = (f"its data and backups are in the engine's volumes {volumes}",)
        if not running:
            return StackLook(is_up=False, is_ready=False, notes=notes)
        is_ready = any(one.labels[LABEL_PART] == SERVER for one in running) and answers(f"{url}/ready")
        return StackLook(is_up=True, is_ready=is_ready, url=url, notes=notes, environment={"MLFLOW_TRACKING_URI": url})

    def run(self, command: str, backup: str) -> Mapping[str, object]:
        """Run a command in a container of the server's image. Raises UnavailableError `stack-failed`."""
        server = describe_server(self._wish)
        with translated_engine(f"run `{command}`"):
            self._start_stores()
            arguments = (command, *(("--backup", backup) if backup else ()))
            container = self._create(server, f"{command}-{secrets.token_hex(3)}", command=list(arguments), labels={})
            try:
                container.start()
                code = int(container.wait(timeout=_ENGINE_SECONDS)["StatusCode"])
                out, err = (container.logs(stdout=is_out, stderr=not is_out).decode() for is_out in (True, False))
            finally:
                container.remove(force=True)
        if code != 0:
            details = tuple(err.splitlines()[-20:])
            raise UnavailableError("stack-failed", f"`{command}` failed: {find_reason(details)}", details=details)
        answer: Mapping[str, object] = json.loads(out) if out.strip() else {}
        return answer

    def read_logs(self, tail: int) -> tuple[str, ...]:
        """The last lines of each container."""
        with translated_engine("read logs"):
            found = sorted(self._list(), key=lambda one: str(one.name))
            logs = [(one.labels[LABEL_PART], one.logs(tail=tail).decode("utf-8", "replace")) for one in found]
        return tuple(f"{part}: {line}" for part, text in logs for line in text.splitlines())

    def remove(self, *, with_data: bool) -> None:
        """Remove the containers and the network; `with_data` the volumes but that of the backups, and the passwords."""
        from docker.errors import NotFound

        with translated_engine(f"stop the stack `{self._wish.name}`"):
            for part in (describe_server(self._wish), *describe_stores()):
                self._remove(part)
            for network in self._engine().networks.list(names=[self._prefix]):
                network.remove()
            for name in DATA if with_data else ():
                with suppress(NotFound):
                    self._engine().volumes.get(f"{self._prefix}-{name}").remove()
        if with_data:
            shutil.rmtree(self._secrets, ignore_errors=True)

    @property
    def _secrets(self) -> Path:
        return self._folder / "secrets"

    def _engine(self) -> DockerClient:
        if self._connected is None:
            self._connected = open_engine(_ENGINE_SECONDS)
        return self._connected

    def _list(self) -> list[Container]:
        mine = {"label": f"{LABEL_STACK}={self._prefix}"}
        return self._engine().containers.list(all=True, filters={**mine}, ignore_removed=True)

    def _find(self, part: str) -> Container | None:
        return next((one for one in self._list() if one.labels[LABEL_PART] == part), None)

    def _runs(self, part: Part) -> bool:
        with translated_engine(f"look at {part.name}"):
            found = self._find(part.name)
        return found is not None and found.status == "running" and found.labels[_LABEL_SPEC] == part.spec_hash

    def _start_stores(self) -> None:
        self._write_secrets()
        if not self._engine().networks.list(names=[self._prefix]):
            self._engine().networks.create(self._prefix)
        for part in describe_stores():
            self._bring_up(part)

    def _write_secrets(self) -> None:
        """Random ones where there are none. Containers have users of their own, whom the folder above keeps from nothing."""
        self._secrets.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder, names in SECRETS.items():
            (self._secrets / folder).mkdir(exist_ok=True)
            (self._secrets / folder).chmod(0o755)  # whatever the umask
            for name in names:
                path = self._secrets / folder / name
                with suppress(FileExistsError), path.open("x", encoding="utf-8") as file:
                    file.write(secrets.token_hex(16))
                path.chmod(0o644)

    def _bring_up(self, part: Part) -> None:
        """Start a container of the part, unless one runs as described."""
        if self._runs(part):
            return
        self._remove(part)
        labels = {LABEL_STACK: self._prefix, LABEL_PART: part.name, _LABEL_SPEC: part.spec_hash}
        container = self._create(part, part.name, command=list(part.command), labels=labels)
        container.start()

    def _create(self, part: Part, name: str, *, command: list[str], labels: dict[str, str]) -> Container:
        from docker.errors import ImageNotFound
        from docker.types import LogConfig

        is_kept = bool(labels)
        options: dict[str, Any] = {"user": part.user} if part.user else {}
        if part.port and is_kept:
            options["ports"] = {part.port[0]: (HOST, part.port[1])}
        if is_kept:
            options["restart_policy"] = {"Name": "unless-stopped"}
        options |= {
            "name": f"{self._prefix}-{name}",
            "hostname": name,
            "entrypoint": list(part.entrypoint) if part.entrypoint else None,
            "environment": dict(part.variables),
            "labels": labels,
            "network": self._prefix,
            "networking_config": {self._prefix: self._engine().api.create_endpoint_config(aliases=[name])},
            "volumes": mount(part, self._prefix, self._secrets),
            "read_only": True,
            "tmpfs": dict.fromkeys(part.scratch, "rw,nosuid,nodev,mode=1777"),
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges:true"],
            "log_config": LogConfig(type="json-file", config=_LOG_LIMITS),
        }
        try:
            return self._engine().containers.create(part.image, command, **options)
        except ImageNotFound:
            self._engine().images.pull(part.image)
            return self._engine().containers.create(part.image, command, **options)

    def _remove(self, part: Part) -> None:
        container = self._find(part.name)
        if container is not None:
            container.stop(timeout=part.grace_seconds)
            container.remove(force=True)
