"""Owns the in-memory AWS account: everything that a deployment on SageMaker is made of. For tests, ours and users'.

Names that are taken, what is in use and what is moving are refused as the service refuses them; `refusals` keeps what was
refused, because a good plan never asks for it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import ConflictError, DockyardError
from dockyard.domain.image import Fingerprint, ImageDigest
from dockyard.domain.sagemaker import (
    AlarmPolicy,
    Endpoint,
    EndpointStatus,
    ObservedSageMaker,
    Scaling,
    derive_endpoint_name,
    derive_repository_name,
    derive_role_name,
)
from dockyard.domain.sagemaker_host import HostEndpoint
from dockyard.domain.sagemaker_steps import (
    CreateEndpoint,
    CreateEndpointConfig,
    CreateModel,
    CreateRole,
    CreateShadowConfig,
    DeleteSupplies,
    UpdateEndpoint,
    UploadModel,
)
from dockyard.ports import Clock, ResolvedModel
from dockyard.testing.endpoints import Course, MemoryEndpoint, Phase, create_phases, delete_phases, update_phases
from dockyard.testing.faults import Faults
from dockyard.testing.images import MemoryImages
from dockyard.testing.sagemaker_packages import PackageShelf
from dockyard.testing.sagemaker_parts import (
    ACCOUNT,
    Alarms,
    HostConfig,
    Owned,
    Part,
    ShadowConfig,
    is_at,
    list_revisions,
    put_part,
    repository_uri,
    require_same,
    role_arn,
)
from dockyard.testing.surroundings import ManualClock


@dataclass(kw_only=True)
class MemoryAccount:
    """SageMakerAccount, Revisions, Endpoints, Repositories and Supplies in memory. MemoryPackages works on it, too."""

    faults: Faults = field(default_factory=Faults)
    images: MemoryImages = field(default_factory=MemoryImages)
    """What is pushed to its repositories."""
    clock: Clock = field(default_factory=ManualClock)
    usual: Course = field(default_factory=Course)
    """How moves go of which nothing else is said."""
    courses: dict[Fingerprint, Course] = field(default_factory=dict)
    """How moves to a revision of an image go."""
    next_courses: list[Course] = field(default_factory=list)
    """How the next moves go, whatever they are; these count first."""
    strangers: dict[str, Callable[[], None]] = field(default_factory=dict)
    """What somebody else does right before a call of that name, once."""
    logs: dict[str, list[tuple[datetime, str]]] = field(default_factory=dict)
    """Lines by endpoint."""
    refusals: list[str] = field(default_factory=list)
    endpoints: dict[str, MemoryEndpoint] = field(default_factory=dict)
    history: list[Endpoint] = field(default_factory=list)
    """Every state that an endpoint has been in."""
    models: dict[str, Part] = field(default_factory=dict)
    configs: dict[str, Part] = field(default_factory=dict)
    shadow_configs: dict[str, ShadowConfig] = field(default_factory=dict)
    host_configs: dict[str, HostConfig] = field(default_factory=dict)
    served: set[str] = field(default_factory=set)
    """Revisions that are marked so."""
    uploads: dict[str, Owned] = field(default_factory=dict)
    """Model data by revision."""
    repositories: dict[str, Owned] = field(default_factory=dict)
    roles: dict[str, Owned] = field(default_factory=dict)
    alarms: dict[str, Alarms] = field(default_factory=dict)
    """By endpoint."""
    scaling: dict[str, Scaling] = field(default_factory=dict)
    packages: PackageShelf = field(default_factory=PackageShelf)
    _owners: dict[str, DeploymentKey] = field(default_factory=dict)

    def describe_deployment(self, key: DeploymentKey) -> ObservedSageMaker:
        """As it is; a look at its endpoint lets that move on."""
        name = derive_endpoint_name(key.environment, key.name)
        endpoint = self.describe_endpoint(name)
        bare = list_revisions(key, endpoint, self.models, self.configs, self.served)
        revisions = tuple(dataclasses.replace(one, package=self.packages.find(one.name)) for one in bare)
        serving = endpoint.serving_config if endpoint else None
        return ObservedSageMaker(
            key=key,
            account=ACCOUNT,
            revisions=revisions,
            serving=next((one.number for one in revisions if one.name == serving), None),
            serving_since=endpoint.changed if endpoint and serving else None,
            next_number=max((one.number for one in revisions), default=0) + 1,
            endpoint=endpoint,
            repository=self.find_repository(derive_repository_name(name)),
            shadow_configs=tuple(one for one, config in self.shadow_configs.items() if config.key == key),
            host_configs=tuple(one for one, config in self.host_configs.items() if config.key == key),
            has_own_role=derive_role_name(name) in self.roles,
            alarms=self.alarms[name].policy if name in self.alarms else None,
            scaling=self.scaling.get(name),
        )

    def list_deployments(self) -> tuple[DeploymentKey, ...]:
        """Those of which there is an endpoint or a revision, sorted."""
        parts = {part.key for part in (*self.models.values(), *self.configs.values())}
        return tuple(sorted(parts | set(self._list_owners().values()), key=str))

    def list_orphans(self) -> tuple[str, ...]:
        """What is left of deployments that are not there, and images and model data that no model has."""
        found = [f"{kind} {name}" for kind, parts in self._list_kinds().items() for name in self._find_orphans(parts)]
        return tuple(sorted([*found, *(f"image {one}" for one in self._find_unused_images())]))

    def delete_orphans(self) -> None:
        """Delete it."""
        with self.change("delete_orphans", "all"):
            for image in self._find_unused_images():
                self.images.forget_pushed(image)
            found = [(parts, name) for parts in self._list_kinds().values() for name in self._find_orphans(parts)]
            for parts, name in found:
                del parts[name]

    def derive_role(self, key: DeploymentKey) -> str:
        """ARN of its own role."""
        return role_arn(derive_role_name(derive_endpoint_name(key.environment, key.name)))

    def upload_model(self, key: DeploymentKey, step: UploadModel, model: ResolvedModel) -> None:
        """Remember that there is model data."""
        del model
        with self.change("upload_model", step.name):
            self.uploads[step.name] = Owned(key=key)

    def create_model(self, key: DeploymentKey, step: CreateModel, image: ImageDigest) -> None:
        """Make a model; its image must have been pushed, and its role must be there."""
        with self.change("create_model", step.name):
            role = step.spec.settings.role
            if role.startswith(role_arn("dockyard-")) and role.rpartition("/")[2] not in self.roles:
                raise DockyardError("aws-refused", f"Could not assume role {role}")
            if image not in self.images.pushed.values():
                raise DockyardError("aws-refused", f"Requested image {image} not found")
            part = Part(key=key, number=step.number, spec=step.spec, created=self.clock.now().isoformat(), image=image)
            put_part(self.models, step.name, part)

    def create_endpoint_config(self, key: DeploymentKey, step: CreateEndpointConfig) -> None:
        """Make a configuration of a model that is there."""
        with self.change("create_endpoint_config", step.name):
            if step.name not in self.models:
                raise DockyardError("aws-refused", f"Could not find model {step.name}")
            part = Part(key=key, number=step.number, spec=step.spec, created=self.clock.now().isoformat())
            put_part(self.configs, step.name, part)

    def create_shadow_config(self, key: DeploymentKey, step: CreateShadowConfig) -> None:
        """Make a configuration of two revisions that are there."""
        with self.change("create_shadow_config", step.name):
            missing = [name for name in (step.production, step.shadow) if name not in self.models]
            if missing:
                raise DockyardError("aws-refused", f"Could not find model {missing[0]}")
            self.shadow_configs[step.name] = ShadowConfig(key=key, production=step.production, shadow=step.shadow)

    def delete_shadow_config(self, name: str) -> None:
        """Delete one that no endpoint uses."""
        with self.change("delete_shadow_config", name):
            if any(one.uses(name) for one in self.list_states()):
                raise self.refuse("revision-in-use", f"an endpoint uses {name}")
            self.shadow_configs.pop(name, None)

    def mark_served(self, name: str, *, on_model: bool = False) -> None:
        """Mark a revision that is there."""
        with self.change("mark_served", name):
            if name not in (self.models if on_model else self.configs):
                raise DockyardError("aws-refused", f"Could not find endpoint configuration {name}")
            self.served.add(name)

    def delete_revision(self, name: str, uploaded: UploadModel | None = None) -> None:
        """Delete a revision that no endpoint uses, and its image where no other model runs it."""
        del uploaded
        with self.change("delete_revision", name):
            users = [one.name for one in self.list_states() if one.uses(name)]
            if users:
                raise self.refuse("revision-in-use", f"endpoint {users[0]} uses revision {name}")
            self.packages.drop(name)
            self.configs.pop(name, None)
            self.served.discard(name)
            self.uploads.pop(name, None)
            model = self.models.pop(name, None)
            if model is not None and not self._runs(model.image):
                self.images.forget_pushed(model.image)

    def describe_endpoint(self, name: str) -> Endpoint | None:
        """As looks see it; it moves on by that."""
        endpoint = self.endpoints.get(name)
        seen = endpoint.look() if endpoint else None
        if endpoint is not None and endpoint.state is None:
            del self.endpoints[name]
        return seen

    def create_endpoint(self, key: DeploymentKey, step: CreateEndpoint) -> None:
        """Begin to create one of a configuration that is there."""
        with self.change("create_endpoint", step.endpoint):
            there = self.find_state(step.endpoint)
            if there is not None:
                require_same(there, key, step.config)
                return
            endpoint = (HostEndpoint if step.is_host else Endpoint)(
                name=step.endpoint,
                status=EndpointStatus.CREATING,
                config=step.config,
                images=self._list_images(step.config),
                changed=self.clock.now().isoformat(),
                owner=str(key),
            )
            self._owners[endpoint.name] = key
            self.begin(endpoint.name, create_phases(endpoint, self.take_course(step.config)))

    def update_endpoint(self, step: UpdateEndpoint) -> None:
        """Begin to move one that is at rest, and where the step says."""
        with self.change("update_endpoint", step.endpoint):
            there = self.find_state(step.endpoint)
            if there is not None and is_at(there, step.config):
                return
            if there is None or there.status.is_moving or there.config not in {step.config, step.previous_config}:
                raise ConflictError("plan-stale", f"endpoint {step.endpoint} was changed by somebody else")
            if there.status is EndpointStatus.FAILED:
                raise self.refuse("aws-refused", f"endpoint {step.endpoint} failed, and can only be deleted")
            self._move(there, step.config)

    def delete_endpoint(self, name: str) -> None:
        """Begin to delete one that is at rest."""
        with self.change("delete_endpoint", name):
            there = self.find_state(name)
            if there is None or there.status is EndpointStatus.DELETING:
                return
            if there.status.is_moving:
                raise self.refuse("endpoint-busy", f"Cannot update in-progress endpoint {name}")
            if isinstance(there, HostEndpoint) and there.component is not None:
                raise self.refuse("aws-refused", f"Cannot delete endpoint {name} while it has inference components")
            self.scaling.pop(name, None)
            self.begin(name, delete_phases(there, self.take_course(None)))

    def read_logs(self, name: str, *, tail: int, since: datetime | None = None) -> tuple[str, ...]:
        """What a test has put there."""
        return tuple([line for at, line in self.logs.get(name, []) if since is None or at >= since][-tail:] if tail else ())

    def create_repository(self, key: DeploymentKey, name: str) -> None:
        """Make a repository."""
        with self.change("create_repository", name):
            self.repositories[name] = Owned(key=key)

    def find_repository(self, name: str) -> str | None:
        """Its URI."""
        return repository_uri(name) if name in self.repositories else None

    def delete_image(self, name: str, digest: str) -> None:
        """Delete an image that no model runs."""
        with self.change("delete_image", name):
            image = ImageDigest(f"{self.find_repository(name)}@{digest}")
            if not self._runs(image):
                self.images.forget_pushed(image)

    def create_role(self, key: DeploymentKey, step: CreateRole) -> None:
        """Make a role."""
        with self.change("create_role", step.name):
            self.roles[step.name] = Owned(key=key)

    def put_alarms(self, key: DeploymentKey, endpoint: str, policy: AlarmPolicy | None, *, of_component: bool = False) -> None:
        """Make the alarms be those."""
        del of_component
        with self.change("put_alarms", endpoint):
            self.alarms.pop(endpoint, None)
            if policy is not None:
                self.alarms[endpoint] = Alarms(key=key, policy=policy)

    def put_scaling(self, endpoint: str, scaling: Scaling | None, *, of_component: bool = False) -> None:
        """Make the scaling of an endpoint in service be that."""
        del of_component
        with self.change("put_scaling", endpoint):
            self.scaling.pop(endpoint, None)
            there = self.find_state(endpoint)
            if scaling is None:
                return
            if there is None or there.serving_config is None:
                raise DockyardError("aws-refused", f"endpoint {endpoint} has no variant to scale")
            self.scaling[endpoint] = scaling

    def delete_supplies(self, step: DeleteSupplies) -> None:
        """Delete role, alarms and repository that no model needs."""
        with self.change("delete_supplies", step.endpoint):
            roles = {model.spec.settings.role.rpartition("/")[2] for model in self.models.values()}
            uri = self.find_repository(step.repository) if step.repository else None
            if step.role in roles or any(model.image.startswith(f"{uri}@") for model in self.models.values()):
                raise self.refuse("revision-in-use", f"models of endpoint {step.endpoint} need its role or images")
            self.roles.pop(step.role or "", None)
            if step.has_alarms:
                self.alarms.pop(step.endpoint, None)
            if step.repository and self.repositories.pop(step.repository, None):
                for image in [one for one in self.images.pushed.values() if one.startswith(f"{uri}@")]:
                    self.images.forget_pushed(image)

    def put_endpoint(self, endpoint: Endpoint) -> None:
        """Let there be an endpoint, at rest as it is given: somebody else has made or changed it."""
        self.begin(endpoint.name, [Phase(state=endpoint)])

    @contextmanager
    def change(self, call: str, subject: str) -> Iterator[None]:
        with self.faults.watch(f"{call} {subject}"):
            act = self.strangers.pop(call, None)
            if act is not None:
                act()
            yield

    def refuse(self, code: str, message: str) -> ConflictError:
        self.refusals.append(message)
        return ConflictError(code, message)

    def begin(self, name: str, phases: list[Phase]) -> None:
        if name in self.endpoints:
            self.endpoints[name].begin(phases)
        else:
            self.endpoints[name] = MemoryEndpoint(phases=phases, history=self.history)

    def _move(self, there: Endpoint, config: str) -> None:
        pair, now = self.shadow_configs.get(config), self.clock.now().isoformat()
        images = there.images if config in self.host_configs else self._list_images(config)
        after = dataclasses.replace(there, config=config, images=images, changed=now)
        production, shadow = (pair.production, pair.shadow) if pair else (None, None)
        after = dataclasses.replace(after, production=production, shadow=shadow)
        self.begin(there.name, update_phases(there, after, self.take_course(config)))

    def take_course(self, config: str | None) -> Course:
        if self.next_courses:
            return self.next_courses.pop(0)
        pair = self.shadow_configs.get(config or "")
        part = self.models.get(pair.shadow if pair else config or "")
        return self.courses.get(part.spec.fingerprint, self.usual) if part else self.usual

    def find_state(self, name: str) -> Endpoint | None:
        return self.endpoints[name].state if name in self.endpoints else None

    def list_states(self) -> list[Endpoint]:
        return [one.state for one in self.endpoints.values() if one.state is not None]

    def _list_owners(self) -> dict[str, DeploymentKey]:
        """Endpoints that are there, and were made here."""
        return {name: key for name, key in self._owners.items() if (one := self.find_state(name)) and one.owner == str(key)}

    def _list_images(self, config: str) -> tuple[str, ...]:
        if config in self.host_configs:
            return ()
        if config not in {*self.configs, *self.shadow_configs}:
            raise DockyardError("aws-refused", f"Could not find endpoint configuration {config}")
        pair = self.shadow_configs.get(config)
        return (self.models[pair.production if pair else config].image,)

    def _list_kinds(self) -> dict[str, dict[str, Any]]:
        return {
            "model": self.models,
            "endpoint configuration": self.configs,
            "model data": self.uploads,
            "configuration with a shadow": self.shadow_configs,
            "configuration of instances": self.host_configs,
            "repository": self.repositories,
            "role": self.roles,
            "alarms": self.alarms,
        }

    def _find_orphans(self, parts: Mapping[str, Owned]) -> list[str]:
        living = {*self._list_owners().values(), *({**self.models, **self.configs}[name].key for name in self.served)}
        lost = set(self.uploads) - set(self.models)
        return [name for name, one in parts.items() if one.key not in living or (parts is self.uploads and name in lost)]

    def _find_unused_images(self) -> list[ImageDigest]:
        return sorted({image for image in self.images.pushed.values() if not self._runs(image)})

    def _runs(self, image: ImageDigest) -> bool:
        return any(model.image == image for model in self.models.values())
