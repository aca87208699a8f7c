"""Owns what each step means on SageMaker, and how it is taken back: one call of a port for each; `endpoint_moves` waits."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import assert_never

from dockyard.apply.component_moves import ComponentMoves
from dockyard.apply.endpoint_moves import EndpointMoves
from dockyard.apply.interpreter import Facts, Skipped
from dockyard.apply.smoke import run_smoke_test
from dockyard.apply.steps import SharedHandlers
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import DockyardError, UnhealthyError
from dockyard.domain.image import Fingerprint, ImageDigest
from dockyard.domain.plan import BuildImage, Outcome, OutcomeStatus, SetAlias, SmokeTest, Step, WriteRecord
from dockyard.domain.sagemaker import derive_endpoint_name, derive_repository_name
from dockyard.domain.sagemaker_component_steps import ComponentStep
from dockyard.domain.sagemaker_steps import (
    CreateEndpoint,
    CreateEndpointConfig,
    CreateModel,
    CreateRepository,
    CreateRole,
    CreateShadowConfig,
    DeleteEndpoint,
    DeleteRevision,
    DeleteShadowConfig,
    DeleteSupplies,
    MarkServed,
    PushImage,
    PutAlarms,
    PutScaling,
    RegisterPackage,
    ReplaceEndpoint,
    UpdateEndpoint,
    UploadModel,
    WaitInService,
    WaitSettled,
)
from dockyard.ports import Invoker
from dockyard.ports_sagemaker import Packages, Repositories, Revisions, Supplies

SupplyStep = CreateRepository | CreateRole | PutAlarms | RegisterPackage | PutScaling | DeleteSupplies
RevisionStep = PushImage | UploadModel | CreateModel | CreateEndpointConfig | MarkServed | DeleteRevision


@dataclass(frozen=True, slots=True, kw_only=True)
class SageMakerHandlers:
    """The steps of one deployment on SageMaker."""

    shared: SharedHandlers
    repositories: Repositories
    revisions: Revisions
    supplies: Supplies
    packages: Packages
    moves: EndpointMoves
    hosted: ComponentMoves
    scorer: Invoker
    """Addresses are names of endpoints."""

    @property
    def endpoint(self) -> str:
        """The name of its endpoint."""
        return derive_endpoint_name(self.key.environment, self.key.name)

    @property
    def key(self) -> DeploymentKey:
        """Whose steps these are."""
        return self.shared.key

    def perform(self, step: Step, outcomes: tuple[Outcome, ...]) -> Facts | Skipped:
        """Do a step."""
        match step:
            case BuildImage() | SetAlias() | WriteRecord():
                return self.shared.perform(step, outcomes)
            case SmokeTest():
                image = self._check_image(step)
                return run_smoke_test(step, self.endpoint, images=self.shared.images, scorer=self.scorer, image=image)
            case DeleteSupplies() if _has_failed("DeleteRevision", outcomes):
                return Skipped(reason="a revision that needs them could not be deleted")
            case CreateRepository() | CreateRole() | PutAlarms() | RegisterPackage() | PutScaling() | DeleteSupplies():
                return self._supply(step)
            case PushImage() | UploadModel() | CreateModel() | CreateEndpointConfig() | MarkServed() | DeleteRevision():
                return self._make(step)
            case WaitSettled() | ReplaceEndpoint() | CreateEndpoint() | UpdateEndpoint() | WaitInService() | DeleteEndpoint():
                self.moves.perform(step)
            case _:
                self._combine(step)
        return ()

    def undo(self, step: Step) -> None:
        """Take back what a step did, as far as it came."""
        match step:
            case CreateEndpoint() | UpdateEndpoint():
                self.moves.undo(step)
            case UploadModel() | CreateModel() | CreateEndpointConfig():
                self.revisions.delete_revision(step.name, step if isinstance(step, UploadModel) else None)
            case CreateShadowConfig(name=name):
                self.revisions.delete_shadow_config(name)
            case PushImage():
                self._unpush(step)
            case PutAlarms(endpoint=endpoint, previous=previous, of_component=of_component):
                self.supplies.put_alarms(self.key, endpoint, previous, of_component=of_component)
            case CreateRepository() | CreateRole():
                self._drop(step)
            case _ if isinstance(step, ComponentStep):
                self.hosted.undo(step)
            case _:
                return

    def _check_image(self, step: SmokeTest) -> ImageDigest | None:
        """What runs must be the image that was proved; where that is no longer at hand, the model's name vouches for it.

        Returns what runs, which has the proof with it.
        """
        image = self.shared.images.find_image(step.fingerprint)
        endpoint = self.moves.endpoints.describe_endpoint(self.endpoint)
        running = endpoint.images if endpoint else ()
        others = [one for one in running if image and not one.endswith(image.digest)]
        if others:
            raise UnhealthyError(
                "endpoint-failed",
                f"endpoint {self.endpoint} runs {others[0]}, and not the image that was built for revision {step.number}",
                hint="has somebody changed the endpoint or the model by hand? The same command again mends it",
            )
        return ImageDigest(running[0]) if running else None

    def _unpush(self, step: PushImage) -> None:
        image = self.shared.images.find_image(step.fingerprint)
        if image is not None:
            self.repositories.delete_image(step.repository, image.digest)

    def _drop(self, made: CreateRepository | CreateRole) -> None:
        """Delete what was made for the deployment, unless another machine has brought it into service meanwhile."""
        endpoint = self.moves.endpoints.describe_endpoint(self.endpoint)
        if endpoint is not None and endpoint.owner == str(self.key):
            return
        repository = made.name if isinstance(made, CreateRepository) else None
        role = made.name if isinstance(made, CreateRole) else None
        step = DeleteSupplies(endpoint=self.endpoint, repository=repository, role=role, has_alarms=False)
        self.supplies.delete_supplies(step)

    def _supply(self, step: SupplyStep) -> Facts:
        match step:
            case CreateRepository(name=name):
                self.repositories.create_repository(self.key, name)
            case CreateRole():
                self.supplies.create_role(self.key, step)
            case PutAlarms(endpoint=endpoint, policy=policy):
                self.supplies.put_alarms(self.key, endpoint, policy, of_component=step.of_component)
            case RegisterPackage():
                return (("model_package", self.packages.register_package(self.key, step)),)
            case PutScaling(endpoint=endpoint, scaling=scaling):
                self.supplies.put_scaling(endpoint, scaling, of_component=step.of_component)
            case DeleteSupplies():
                self.supplies.delete_supplies(step)
            case _:
                assert_never(step)
        return ()

    def _make(self, step: RevisionStep) -> Facts:
        match step:
            case PushImage(fingerprint=fingerprint, repository=name):
                return (("digest", self._push(fingerprint, name)),)
            case UploadModel():
                if self.shared.build is None:
                    raise DockyardError("image-missing", f"the model of {step.name} is not at hand to be uploaded")
                self.revisions.upload_model(self.key, step, self.shared.build.model)
            case CreateModel(spec=spec):
                self.revisions.create_model(self.key, step, self.find_image(spec.fingerprint))
            case CreateEndpointConfig():
                self.revisions.create_endpoint_config(self.key, step)
            case MarkServed(name=name):
                self.revisions.mark_served(name, on_model=step.on_model)
            case DeleteRevision(name=name):
                self.revisions.delete_revision(name)
            case _:
                assert_never(step)
        return ()

    def _combine(self, step: Step) -> None:
        """Shadows and inference components, which bring a revision together with what is not its own."""
        if isinstance(step, CreateShadowConfig):
            self.revisions.create_shadow_config(self.key, step)
        elif isinstance(step, DeleteShadowConfig):
            self.revisions.delete_shadow_config(step.name)
        elif isinstance(step, ComponentStep):
            self.hosted.perform(step)
        else:
            raise TypeError(f"{step.type} is no step of SageMaker")

    def _push(self, fingerprint: Fingerprint, name: str) -> ImageDigest:
        image = self.shared.require_image(fingerprint)
        return self.shared.push_image(image, self._require_repository(name))

    def find_image(self, fingerprint: Fingerprint) -> ImageDigest:
        """The image of a fingerprint as its repository has it."""
        image = self.shared.require_image(fingerprint)
        return ImageDigest(f"{self._require_repository(derive_repository_name(self.endpoint))}@{image.digest}")

    def _require_repository(self, name: str) -> str:
        uri = self.repositories.find_repository(name)
        if uri is None:
            raise DockyardError("registry-refused", f"image repository {name} is gone", hint="the same command makes it")
        return uri


def _has_failed(step: str, outcomes: tuple[Outcome, ...]) -> bool:
    return any(one.step == step and one.status is OutcomeStatus.FAILED for one in outcomes)
