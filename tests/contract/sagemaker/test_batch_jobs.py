"""Batch transform jobs through their ports: real containers answer for objects on S3, and nothing of a job stays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from dockyard.adapters.clock import SystemClock
from dockyard.adapters.sagemaker.account import AwsAccount
from dockyard.adapters.sagemaker.endpoints import SageMakerEndpoints
from dockyard.adapters.sagemaker.job_supplies import SageMakerJobSupplies
from dockyard.adapters.sagemaker.jobs import SageMakerJobs
from dockyard.adapters.sagemaker.repositories import EcrRepositories
from dockyard.adapters.sagemaker.revisions import SageMakerRevisions
from dockyard.adapters.sagemaker.session import Session
from dockyard.adapters.sagemaker.supplies import SageMakerSupplies
from dockyard.domain.errors import ConflictError, UsageError
from dockyard.domain.image import ImageDigest
from dockyard.domain.sagemaker import Instances, SageMakerSpec, derive_role_name
from dockyard.domain.sagemaker_batch import (
    Assembly,
    BatchSettings,
    JobStatus,
    Split,
    Strategy,
    TransformJob,
    derive_job_model_name,
    derive_job_stem,
)
from dockyard.domain.sagemaker_batch_steps import CleanUpJobs, CreateJobModel, GrantJobAccess
from dockyard.domain.sagemaker_place import AwsAccess
from support.patience import wait_for
from support.sagemaker_values import ENDPOINT, KEY, make_spec
from support.sandbox_cloud import REGION, CloudBench, open_cloud
from support.sandbox_images import build_sandbox_stand_in

pytestmark = pytest.mark.process
ROLE = derive_role_name(ENDPOINT)
JSON_LINES = BatchSettings(
    content_type="application/json", split=Split.LINE, assemble=Assembly.LINE, strategy=Strategy.SINGLE_RECORD
)


@dataclass(frozen=True, kw_only=True)
class Bench:
    """The adapters, and the account's own view of what they do."""

    cloud: CloudBench
    image: ImageDigest
    role: str
    jobs: SageMakerJobs
    supplies: SageMakerJobSupplies
    account: AwsAccount

    @property
    def spec(self) -> SageMakerSpec:
        """Of the model."""
        return make_spec(1, role=self.role, env=(("STAND_IN_ANSWER", "batch"),))

    @property
    def model(self) -> str:
        """Its name."""
        return derive_job_model_name(ENDPOINT, self.spec.spec_hash)

    def make_job(self, source: str, number: int = 1, settings: BatchSettings = JSON_LINES) -> TransformJob:
        """A job over what lies under a prefix."""
        uri, output = f"s3://bucket/{source}", f"s3://bucket/answers/{source}"
        stem = derive_job_stem(ENDPOINT, (self.spec.spec_hash, uri, output), settings)
        return TransformJob(name=f"{stem}-{number}", model=self.model, input=uri, output=output, settings=settings)

    def create_model(self) -> None:
        """The model that jobs run."""
        self.supplies.create_model(KEY, CreateJobModel(name=self.model, spec=self.spec), self.image)

    def clean_up(self) -> None:
        """As after a job."""
        self.supplies.clean_up(KEY, CleanUpJobs(model=self.model, role=ROLE))

    def list_models(self) -> list[tuple[str, bool]]:
        """Those of jobs, and whether one needs them."""
        return [(one.name, one.is_needed) for one in self.supplies.list_models(KEY)]

    def wait(self, name: str) -> tuple[JobStatus, str]:
        """How a job ended, and why."""
        wait_for(lambda: (job := self.jobs.find_job(name)) is not None and job.status.is_over, seconds=60)
        job = self.jobs.find_job(name)
        assert job is not None
        return job.status, job.failure_reason

    def put(self, key: str, body: bytes) -> None:
        """An object."""
        self.cloud.client("s3").put_object(Bucket="bucket", Key=key, Body=body)

    def list_policies(self) -> list[str]:
        """Of the role."""
        return list(self.cloud.client("iam").list_role_policies(RoleName=ROLE)["PolicyNames"])


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with open_cloud(tmp_path_factory.mktemp("cloud")) as cloud, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", cloud.sandbox.url)
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        cloud.client("s3").create_bucket(Bucket="bucket")
        image = cloud.put_image(*build_sandbox_stand_in(tmp_path_factory.mktemp("image")), repository=f"dockyard/{ENDPOINT}")
        session = Session(AwsAccess(region=REGION))
        jobs, repositories, endpoints = SageMakerJobs(session), EcrRepositories(session), SageMakerEndpoints(session)
        revisions = SageMakerRevisions(session=session, endpoints=endpoints, repositories=repositories, clock=SystemClock())
        yield Bench(
            cloud=cloud,
            image=ImageDigest(image),
            role=cloud.make_role(ROLE),
            jobs=jobs,
            supplies=SageMakerJobSupplies(jobs=jobs, revisions=revisions),
            account=AwsAccount(
                environment=KEY.environment,
                session=session,
                endpoints=endpoints,
                revisions=revisions,
                repositories=repositories,
                supplies=SageMakerSupplies(session, repositories),
            ),
        )
        for service in ("sagemaker", "iam", "ecr", "sts", "logs", "cloudwatch", "application-autoscaling"):
            session.client(service).close()


@pytest.fixture
def bench(opened: Bench, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """The adapters and a model; afterwards nothing of jobs may be there."""
    store, image = build_sandbox_stand_in(tmp_path_factory.mktemp("image"))
    opened.cloud.cloud.repositories.put_image(f"dockyard/{ENDPOINT}", store.blobs.read(image.digest), "", tag="v1")
    opened.create_model()
    yield opened
    opened.clean_up()
    assert opened.list_models() == []
    assert opened.list_policies() == []
    assert opened.cloud.client("ecr").list_images(repositoryName=f"dockyard/{ENDPOINT}")["imageIds"] == []


def test_job_answers_for_every_object_and_leaves_only_that(bench: Bench) -> None:
    bench.put("lines/a.jsonl", b"{}\n{}\n")
    job = bench.make_job("lines/")
    bench.supplies.grant_access(GrantJobAccess(role=ROLE, job=job))
    bench.jobs.start_job(KEY, job)
    assert bench.jobs.list_models_in_use(ENDPOINT) == {bench.model}
    bench.jobs.start_job(KEY, job)  # as after an answer that was lost
    bench.create_model()
    bench.clean_up()
    assert bench.list_models() == [(bench.model, True)]
    assert len(bench.list_policies()) == 1
    assert bench.wait(job.name) == (JobStatus.COMPLETED, "")
    answers = bench.cloud.client("s3").get_object(Bucket="bucket", Key="answers/lines/a.jsonl.out")["Body"].read()
    assert [json.loads(line)["predictions"] for line in answers.splitlines()] == [["batch"], ["batch"]]
    assert "ready" in bench.jobs.read_logs(job.name, tail=50)
    assert [one.name for one in bench.jobs.list_jobs(job.name.rpartition("-")[0])] == [job.name]


def test_job_that_fails_says_why(bench: Bench) -> None:
    job = bench.make_job("nothing-here/")
    bench.jobs.start_job(KEY, job)
    status, reason = bench.wait(job.name)
    assert status is JobStatus.FAILED
    assert "No objects" in reason
    bench.jobs.stop_job(job.name)


def test_job_that_is_stopped_is_over(bench: Bench) -> None:
    bench.put("slow/a.jsonl", b'{"seconds": 1}\n' * 30)
    bench.put("slow/b.jsonl", b"{}\n")
    job = bench.make_job("slow/", settings=BatchSettings(content_type="application/json"))
    bench.jobs.start_job(KEY, job)
    bench.jobs.stop_job(job.name)
    assert bench.wait(job.name)[0] in {JobStatus.STOPPED, JobStatus.FAILED}
    assert bench.jobs.find_job("gone") is None


def test_name_that_another_job_has_is_refused(bench: Bench) -> None:
    job = bench.make_job("same/", settings=BatchSettings())
    bench.jobs.start_job(KEY, job)
    other = TransformJob(name=job.name, model=job.model, input=job.input, output="s3://bucket/other", settings=job.settings)
    with pytest.raises(ConflictError) as caught:
        bench.jobs.start_job(KEY, other)
    assert caught.value.code == "name-taken"
    bench.wait(job.name)


def test_model_of_jobs_is_no_revision_and_an_orphan_when_no_job_runs(bench: Bench) -> None:
    assert bench.account.describe_deployment(KEY).revisions == ()
    assert bench.account.list_deployments() == ()
    bench.put("orphan/a.jsonl", b'{"seconds": 2}\n')
    job = bench.make_job("orphan/")
    bench.jobs.start_job(KEY, job)
    assert bench.account.list_orphans() == ()
    bench.wait(job.name)
    assert bench.account.list_orphans() == (f"model {bench.model}",)
    assert bench.list_models() == [(bench.model, False)]
    bench.account.delete_orphans()
    assert bench.list_models() == []


@pytest.mark.parametrize(
    ("settings", "uri", "told"),
    [
        (BatchSettings(instances=Instances(instance_type="m5.large")), "s3://bucket/in", "`batch.instance`"),
        (BatchSettings(strategy=Strategy.SINGLE_RECORD), "s3://bucket/in", "not split"),
        (BatchSettings(max_payload_mb=50, max_concurrent=3), "s3://bucket/in", "`batch.max_concurrent`"),
        (BatchSettings(), "bucket/in", "`--input`"),
        (BatchSettings(content_type="x" * 300), "s3://bucket/in", "`batch.content_type`"),
    ],
)
def test_what_the_service_would_refuse_is_refused_here(opened: Bench, settings: BatchSettings, uri: str, told: str) -> None:
    job = TransformJob(name="job", model="model", input=uri, output="s3://bucket/out", settings=settings)
    with pytest.raises(UsageError) as caught:
        opened.supplies.check_job(KEY, job)
    assert told in caught.value.message
