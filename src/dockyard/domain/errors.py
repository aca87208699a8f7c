"""Owns the error families and what each means for the exit code. Must not know who raises them or how they are shown.

    DockyardError                 exit 1   something failed
    ├── UsageError                exit 2   wrong input or configuration; nothing was contacted or changed
    ├── NotFoundError             exit 2   the thing that the user named does not exist
    ├── CredentialsError          exit 2   a server refused who we are
    ├── ConflictError             exit 1   somebody else holds or changed it
    ├── TransientError            exit 1   may work when tried again; steps are retried
    ├── UnavailableError          exit 1   a server or program that is needed does not answer
    ├── BuildError                exit 1   the image could not be made
    ├── UnhealthyError            exit 1   the revision does not start, does not answer, or answers wrongly
    ├── PartialError              exit 3   done, but what follows the main thing failed
    └── CancelledError            exit 130 the user or a signal stopped it
        └── DetachedError         exit 130 … while waiting for what goes on without us

Codes are kebab-case and stable; each is documented in `docs/reference/errors.md`, which is generated from `CATALOGUE`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar


class DockyardError(Exception):
    """Anything that Dockyard reports to its user.

    `code` is one of `CATALOGUE`, `message` says what failed with which thing, `hint` says what to do about it,
    `details` holds more lines for a person (log tails, explanations); none of them ever holds a secret or a payload.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, code: str, message: str, *, hint: str | None = None, details: tuple[str, ...] = ()) -> None:
        if code not in CATALOGUE:
            raise ValueError(f"error code {code!r} is not in the catalogue")
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.details = details


class UsageError(DockyardError):
    """Wrong input or configuration, found before anything was contacted."""

    exit_code = 2


class NotFoundError(DockyardError):
    """The model, revision or deployment that the user named does not exist."""

    exit_code = 2


class CredentialsError(DockyardError):
    """A server refused the credentials."""

    exit_code = 2


class ConflictError(DockyardError):
    """Somebody else holds the thing, or changed it since it was read."""


class TransientError(DockyardError):
    """A failure that may be gone when the step is tried again."""


class UnavailableError(DockyardError):
    """A server or program that is needed does not answer."""


class BuildError(DockyardError):
    """The image could not be made or sent."""


class UnhealthyError(DockyardError):
    """A revision does not start, does not answer, or answers wrongly."""


class PartialError(DockyardError):
    """The main thing is done; something that follows it is not."""

    exit_code = 3


class CancelledError(DockyardError):
    """The user or a signal stopped the command."""

    exit_code = 130


class DetachedError(CancelledError):
    """The user stopped waiting for something that goes on without us, so nothing is taken back."""


CATALOGUE: Mapping[str, str] = MappingProxyType(
    {
        "admission-refused": "A rule of the cluster refuses the deployment's pods.",
        "alias-not-found": "The registered model has no such alias.",
        "aws-refused": "An AWS service refused a call.",
        "aws-throttled": "An AWS service takes no more calls for the moment.",
        "aws-unreachable": "An AWS service does not answer.",
        "backups-off": "The tracking stack has no place for backups.",
        "base-not-found": "The base image does not exist, or not for this platform.",
        "batch-failed": "The batch transform job failed, was stopped, or took too long.",
        "build-failed": "The Docker engine could not build the image.",
        "cache-unusable": "The cache folder cannot be written.",
        "cancelled": "The command was interrupted; what it had begun was taken back.",
        "cleanup-failed": "The new revision serves, but what it replaces could not be removed. `dockyard gc` removes it.",
        "cluster-busy": "The Kubernetes API server takes no more calls for the moment.",
        "cluster-refused": "The Kubernetes API server refused a call.",
        "cluster-unknown": "Nothing says which Kubernetes cluster, or the client configuration is wrong.",
        "cluster-unreachable": "The Kubernetes API server does not answer.",
        "config-invalid": "The configuration file has an unknown key or a value of the wrong kind.",
        "config-not-found": "The configuration file that was named does not exist.",
        "consent-needed": "The command would make something that has to be allowed first.",
        "credentials-refused": "A registry or server refused the user name, password or token.",
        "dependency-missing": "An optional package that this registry, artifact store or setting needs is not installed.",
        "deployment-not-found": "There is no deployment of that name in that environment.",
        "docker-failed": "The Docker engine refused or failed an operation.",
        "docker-unavailable": "No Docker engine answers.",
        "endpoint-busy": "The endpoint is changing and takes no other change.",
        "endpoint-failed": "The endpoint could not be created or updated.",
        "endpoint-kind-differs": "The endpoint hosts an inference component where none is wanted, or the other way round.",
        "endpoint-not-ours": "An endpoint of that name exists and was not made for this deployment.",
        "endpoint-not-ready": "The endpoint does not serve the revision in time.",
        "environment-unknown": "The environment is not in the configuration file, or is for another target.",
        "field-conflict": "A field of a Kubernetes object belongs to another manager.",
        "forwarder-failed": "The process that owns a local deployment's port does not start or does not answer.",
        "gate-breached": "The candidate did badly with its share of the requests, so it was taken back.",
        "helm-failed": "Helm is not there, or could not install, upgrade or remove the tracking stack.",
        "image-missing": "The image of a revision is no longer in the local store.",
        "image-not-pulled": "A node of the cluster cannot pull the image.",
        "index-unreachable": "The Python package index does not answer.",
        "internal-error": "Dockyard has a defect. Run again with -v and report what it prints.",
        "kind-missing": "The cluster lacks the CustomResourceDefinition of an object that a setting asks for.",
        "lock-held": "Another command is changing this deployment.",
        "lock-lost": "The lock was lost while the command ran, so somebody else may be changing this deployment.",
        "model-does-not-answer": "The model raised an error, or gave no answer, for its own input example.",
        "model-invalid": "The folder's MLmodel file is missing, unreadable or incomplete.",
        "model-not-found": "The model, version, run or path does not exist.",
        "model-ref-invalid": "The text does not name a model.",
        "model-without-pyfunc": "The model has no python_function flavor, so nothing generic can serve it.",
        "name-invalid": "A deployment or environment name has characters that targets do not take, or is too long.",
        "name-taken": "A resource of that name exists and is not what this deployment would make.",
        "no-matching-python": "No Python of the model's minor version is on this machine, and no Docker engine answers.",
        "no-revision": "The deployment has no such revision to go back to.",
        "no-wheel": "A requirement has no wheel for the image's platform, so it needs a compiler.",
        "nothing-serving": "The deployment has no revision that serves.",
        "out-of-memory": "The revision needs more memory than it may have.",
        "plan-stale": "What the plan stands on has changed since.",
        "port-in-use": "Another program listens on the port.",
        "preflight-failed": "A look at the target, before anything was made, found what is sure to fail.",
        "prometheus-failed": "Prometheus does not answer, or does not take the expression.",
        "quota-exceeded": "The AWS account, or the namespace of the cluster, may have no more of that.",
        "recipe-invalid": "The parts of an image do not fit together: another Python, another platform, a damaged wheel.",
        "record-pending": "The deployment stands, but its record could not be written. `dockyard sync` sends it.",
        "records-unusable": "The records beside the configuration file cannot be read or written.",
        "region-unknown": "Nothing says in which AWS region.",
        "registry-invalid-answer": "A server answered with something that is not what the protocol says.",
        "registry-refused": "The image registry refused the operation.",
        "registry-unreachable": "The image registry does not answer.",
        "render-conflict": "The folder to render into holds files of another deployment, or changed ones.",
        "requirements-unsatisfiable": "The model's requirements contradict each other or name versions that do not exist.",
        "revision-crashed": "The revision's process ended before it was ready.",
        "revision-in-use": "The revision serves, so it cannot be deleted.",
        "revision-not-ready": "The revision did not become ready in time.",
        "rolled-back": "The service took a rollout back: the revision did not come up, or an alarm went off.",
        "route-not-accepted": "The Gateway does not take the deployment's HTTPRoute, so that no request comes from outside.",
        "sandbox-failed": "The sandbox did not start.",
        "sandbox-not-up": "No sandbox is up.",
        "scorer-unreachable": "The endpoint does not answer.",
        "secret-found": "What would be written into files holds what looks like a secret.",
        "secret-unavailable": "A secret that the configuration refers to is not there.",
        "setting-invalid": "A setting has a value that the service does not take.",
        "smoke-test-failed": "The revision answered the model's input example with an error.",
        "stack-differs": "A tracking stack of that name is of another kind.",
        "stack-failed": "A tracking stack does not start, or a command beside it failed.",
        "stack-unknown": "There is no tracking stack of that name.",
        "state-corrupt": "A state file of Dockyard cannot be read.",
        "store-damaged": "The local image store cannot be read.",
        "tracking-server-refused": "The MLflow server refused the request.",
        "tracking-unreachable": "The MLflow registry does not answer.",
        "unpack-failed": "An image layer could not be unpacked.",
        "unschedulable": "No node of the cluster takes the revision's pods.",
        "usage": "The command line is wrong.",
        "wheel-unavailable": "A package of the image cannot be fetched, or is damaged.",
        "wrong-answer": "The revision answered the input example differently from the image at build time.",
    }
)
"""Every code that Dockyard reports, with one sentence for the reference page."""
