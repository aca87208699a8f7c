"""A workbench for this machine whose ports are all in memory, with handles on each of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from typing_extensions import override

from dockyard.domain.deployment import LocalSettings, Runtime
from dockyard.domain.image import ImageSettings
from dockyard.domain.reference import parse_model_ref
from dockyard.domain.request import DeleteRequest, LocalDeployRequest, RollbackRequest
from dockyard.testing.attempts import MemoryScorer
from dockyard.testing.local import MemoryMachine
from dockyard.usecases.site_local import LocalSite
from support.any_bench import AnyBench, make_resolved
from support.local_values import KEY


@dataclass(kw_only=True)
class MemoryBench(AnyBench):
    """Everything in memory, and a machine to deploy to."""

    machine: MemoryMachine = field(init=False)
    scorer: MemoryScorer = field(init=False)

    @override
    def __post_init__(self) -> None:
        super().__post_init__()
        self.machine = MemoryMachine(faults=self.faults, clock=self.clock)
        self.scorer = MemoryScorer(host=self.machine, inventory=self.machine)
        self.registry.add_model(make_resolved(9, name=None), "./folder")

    @property
    @override
    def site(self) -> LocalSite:
        return LocalSite(host=self.machine, inventory=self.machine, machine=self.machine, scorer=self.scorer)

    def serving_version(self) -> str | None:
        """The model version that requests to the deployment's port reach now."""
        local = self.machine.describe_deployment(KEY)
        revision = local.serving_revision
        return revision.spec.model.version if revision and local.is_forwarding and revision.address else None


def want(version: int | str = 1, **fields: object) -> LocalDeployRequest:
    """A request for a version of `wine`, or for any other reference."""
    text = f"models:/wine/{version}" if isinstance(version, int) else version
    env = fields.pop("env", ())
    return LocalDeployRequest(
        ref=parse_model_ref(text),
        key=KEY,
        settings=LocalSettings(runtime=Runtime.AUTO, env=env),  # type: ignore[arg-type]
        image=ImageSettings(),
        **fields,  # type: ignore[arg-type]
    )


ROLLBACK = RollbackRequest(key=KEY)
DELETE = DeleteRequest(key=KEY)
