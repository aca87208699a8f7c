"""Owns what batch transform jobs need that no deployment has: models for a while, and a role's access to input and output."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from dockyard.adapters.sagemaker import batch_requests
from dockyard.adapters.sagemaker.endpoints import list_models, list_tags
from dockyard.adapters.sagemaker.errors import translated, unless_missing
from dockyard.adapters.sagemaker.jobs import SageMakerJobs
from dockyard.adapters.sagemaker.revisions import SageMakerRevisions
from dockyard.adapters.sagemaker.setting_names import Place, name_place
from dockyard.adapters.sagemaker.tags import read_owner
from dockyard.adapters.sagemaker.validation import Problem, check_request
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import UsageError
from dockyard.domain.image import ImageDigest
from dockyard.domain.sagemaker import derive_endpoint_name
from dockyard.domain.sagemaker_batch import JobModel, TransformJob, derive_access_name, is_access_name, job_name_stem
from dockyard.domain.sagemaker_batch_steps import CleanUpJobs, CreateJobModel, GrantJobAccess


@dataclass(frozen=True, slots=True, kw_only=True)
class SageMakerJobSupplies:
    """The supplies of jobs of an account and region."""

    jobs: SageMakerJobs
    revisions: SageMakerRevisions

    def check_job(self, key: DeploymentKey, job: TransformJob) -> None:
        """Check a job. Raises UsageError `setting-invalid`."""
        params = batch_requests.create_transform_job(key, job)
        problems = [*check_request("sagemaker", "CreateTransformJob", params)]
        for one in batch_requests.find_job_violations(params, job):
            place = name_place(Place("sagemaker", "CreateTransformJob", one.path))
            problems.append(Problem(place=place, message=one.message))
        if problems:
            lines = tuple(dict.fromkeys(str(one) for one in problems))
            hint = "the limits are those of SageMaker itself; nothing was sent"
            raise UsageError("setting-invalid", lines[0], hint=hint, details=lines[1:])

    def list_models(self, key: DeploymentKey) -> tuple[JobModel, ...]:
        """The models that were made for jobs of a deployment."""
        endpoint = derive_endpoint_name(key.environment, key.name)
        names = tuple(self._list_own_models(key, endpoint))
        needed = self.jobs.list_models_in_use(job_name_stem(endpoint)) if names else frozenset()
        return tuple(JobModel(name=name, is_needed=name in needed) for name in names)

    def create_model(self, key: DeploymentKey, step: CreateJobModel, image: ImageDigest) -> None:
        """Make a model."""
        self.revisions.create_model_of(step.name, batch_requests.create_job_model(key, step, image))

    def grant_access(self, step: GrantJobAccess) -> None:
        """Put the job's policy on the role."""
        session = self.revisions.session
        policy = json.dumps(batch_requests.render_access(session.account(), step.job))
        with translated("iam:PutRolePolicy"):
            session.client("iam").put_role_policy(
                RoleName=step.role, PolicyName=derive_access_name(step.job.name), PolicyDocument=policy
            )

    def clean_up(self, key: DeploymentKey, step: CleanUpJobs) -> None:
        """Delete model and access that no job needs which is not over."""
        stem = job_name_stem(derive_endpoint_name(key.environment, key.name))
        if step.model is not None and step.model not in self.jobs.list_models_in_use(stem):
            self.revisions.delete_revision(step.model)
        if step.role is not None:
            needed = {derive_access_name(job.name) for job in self.jobs.list_jobs(stem) if not job.status.is_over}
            self._revoke(step.role, needed)

    def _list_own_models(self, key: DeploymentKey, endpoint: str) -> Iterator[str]:
        for model in list_models(self.revisions.session, endpoint):
            owner = read_owner(list_tags(self.revisions.session, str(model["ModelArn"])))
            if owner is not None and owner.is_for_jobs and owner.key == key:
                yield str(model["ModelName"])

    def _revoke(self, role: str, needed: set[str]) -> None:
        client = self.revisions.session.client("iam")

        def revoke() -> None:
            there = client.list_role_policies(RoleName=role)["PolicyNames"]
            for policy in (name for name in there if is_access_name(name) and name not in needed):
                client.delete_role_policy(RoleName=role, PolicyName=policy)

        unless_missing("iam:DeleteRolePolicy", revoke)
