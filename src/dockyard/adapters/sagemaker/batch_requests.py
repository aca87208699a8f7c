"""Owns the requests of batch transform: pure functions from the domain to parameters of AWS calls. Must not call anything.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTransformJob.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from dockyard.adapters.sagemaker import requests
from dockyard.adapters.sagemaker.requests import Params
from dockyard.adapters.sagemaker.tags import tag_deployment, tag_job_model
from dockyard.adapters.sagemaker.violations import Violation
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.sagemaker import Account
from dockyard.domain.sagemaker_batch import Assembly, Split, Strategy, TransformJob
from dockyard.domain.sagemaker_batch_steps import CreateJobModel
from dockyard.domain.sagemaker_steps import CreateModel

LOG_GROUP = "/aws/sagemaker/TransformJobs"
_SPLITS = {Split.NONE: "None", Split.LINE: "Line", Split.RECORD_IO: "RecordIO", Split.TF_RECORD: "TFRecord"}
_ASSEMBLIES = {Assembly.NONE: "None", Assembly.LINE: "Line"}
_STRATEGIES = {Strategy.MULTI_RECORD: "MultiRecord", Strategy.SINGLE_RECORD: "SingleRecord"}
_LARGEST_MB = 100
"""MaxConcurrentTransforms times MaxPayloadInMB."""


def create_job_model(key: DeploymentKey, step: CreateJobModel, image: str) -> Params:
    """CreateModel, as for a deployment, but for what makes a revision of it."""
    params = requests.create_model(key, CreateModel(number=0, name=step.name, spec=step.spec), image)
    for name in requests.OWN_VARIABLES:
        params["PrimaryContainer"]["Environment"].pop(name, None)
    return params | {"Tags": tag_job_model(key, step.spec)}


def create_transform_job(key: DeploymentKey, job: TransformJob) -> Params:
    """CreateTransformJob."""
    settings = job.settings
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": job.input}}
    output: Params = {"S3OutputPath": job.output, "AssembleWith": _ASSEMBLIES[settings.assemble]}
    resources: Params = {"InstanceType": settings.instances.instance_type, "InstanceCount": settings.instances.count}
    if job.kms_key is not None:
        output["KmsKeyId"] = resources["VolumeKmsKeyId"] = job.kms_key
    if settings.accept is not None:
        output["Accept"] = settings.accept
    given = {
        "BatchStrategy": _STRATEGIES[settings.strategy] if settings.strategy else None,
        "MaxPayloadInMB": settings.max_payload_mb,
        "MaxConcurrentTransforms": settings.max_concurrent,
    }
    return {
        "TransformJobName": job.name,
        "ModelName": job.model,
        "TransformInput": {
            "DataSource": source,
            "ContentType": settings.content_type,
            "SplitType": _SPLITS[settings.split],
        },
        "TransformOutput": output,
        "TransformResources": resources,
        "Tags": tag_deployment(key, job.tags),
        **{name: value for name, value in given.items() if value is not None},
    }


def find_job_violations(params: Mapping[str, object], job: TransformJob) -> Iterator[Violation]:
    """What the service refuses of a job though its model does not say so."""
    settings = job.settings
    for name, uri in (
        ("TransformInput.DataSource.S3DataSource.S3Uri", job.input),
        ("TransformOutput.S3OutputPath", job.output),
    ):
        parts = urlsplit(uri)
        if parts.scheme != "s3" or not parts.netloc:
            yield Violation(path=tuple(name.split(".")), message="is no S3 URI, as s3://bucket/folder/")
    if settings.strategy is not None and settings.split is Split.NONE and settings.strategy is Strategy.SINGLE_RECORD:
        yield Violation(path=("BatchStrategy",), message="a record cannot be sent by itself where objects are not split")
    payload, concurrent = settings.max_payload_mb, settings.max_concurrent
    if payload and concurrent and payload * concurrent > _LARGEST_MB:
        message = f"{concurrent} requests of {payload} MB are more than {_LARGEST_MB} MB at a time"
        yield Violation(path=("MaxConcurrentTransforms",), message=message)
    if payload == 0 and "BatchStrategy" in params:
        yield Violation(path=("MaxPayloadInMB",), message="a payload without limit takes no strategy")


def render_access(account: Account, job: TransformJob) -> Params:
    """The policy that lets a role read a job's input, write its output, and log."""
    folder = job.input if job.input.endswith("/") else f"{job.input}*"
    source, target = urlsplit(folder), urlsplit(job.output)
    buckets = sorted({f"arn:{account.partition}:s3:::{part.netloc}" for part in (source, target)})
    read = f"arn:{account.partition}:s3:::{source.netloc}{source.path}{'*' if folder.endswith('/') else ''}"
    written = f"arn:{account.partition}:s3:::{target.netloc}{target.path.rstrip('/')}/*"
    logs = f"arn:{account.partition}:logs:{account.region}:{account.id}:log-group:{LOG_GROUP}"
    statements: list[Params] = [
        {"Sid": "Buckets", "Effect": "Allow", "Action": "s3:ListBucket", "Resource": buckets},
        {"Sid": "Input", "Effect": "Allow", "Action": "s3:GetObject", "Resource": read},
        {"Sid": "Output", "Effect": "Allow", "Action": ["s3:AbortMultipartUpload", "s3:PutObject"], "Resource": written},
        {
            "Sid": "Logs",
            "Effect": "Allow",
            "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            "Resource": [logs, f"{logs}:*"],
        },
    ]
    return {"Version": "2012-10-17", "Statement": statements}
