"""Owns image repositories in ECR, and the credentials for their registries. Must not push: the image builder does."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from functools import partial

from dockyard.adapters.sagemaker.endpoints import list_models
from dockyard.adapters.sagemaker.errors import read_code, translated, unless_missing
from dockyard.adapters.sagemaker.session import Session
from dockyard.adapters.sagemaker.tags import tag_deployment
from dockyard.domain.deployment import DeploymentKey
from dockyard_image.credentials import Credentials, Secret


class EcrRepositories:
    """The repositories of an account and region."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._hosts: set[str] = set()

    def create_repository(self, key: DeploymentKey, name: str) -> None:
        """Make a repository whose tags never move; one that is there is left as it is."""
        from botocore.exceptions import ClientError

        client = self._session.client("ecr")
        with translated("ecr:CreateRepository"):
            try:
                client.create_repository(repositoryName=name, imageTagMutability="IMMUTABLE", tags=tag_deployment(key))
            except ClientError as error:
                if read_code(error) != "RepositoryAlreadyExistsException":
                    raise

    def find_repository(self, name: str) -> str | None:
        """Where a repository is: `host/name`; None where there is none."""
        client = self._session.client("ecr")
        what = "ecr:DescribeRepositories"
        found = unless_missing(what, lambda: client.describe_repositories(repositoryNames=[name])["repositories"])
        if found is None:
            return None
        uri = str(found[0]["repositoryUri"])
        self._hosts.add(uri.partition("/")[0])
        return uri

    def delete_image(self, name: str, digest: str, *, besides: str | None = None) -> None:
        """Delete an image, unless a model, `besides` one, runs it; a repository or an image that is gone is no error."""
        uri = self.find_repository(name)
        if uri is None or f"{uri}@{digest}" in self.list_run(name.rpartition("/")[2], besides=besides):
            return
        client, images = self._session.client("ecr"), [{"imageDigest": digest}]
        unless_missing("ecr:BatchDeleteImage", lambda: client.batch_delete_image(repositoryName=name, imageIds=images))

    def delete_repository(self, name: str) -> None:
        """Delete a repository with all that is in it."""
        client = self._session.client("ecr")
        unless_missing("ecr:DeleteRepository", lambda: client.delete_repository(repositoryName=name, force=True))

    def trust_host(self, host: str) -> None:
        """Sign in to another registry of ECR's, too: a token is good for all that its owner may read."""
        self._hosts.add(host)

    def find_credentials(self, host: str) -> Credentials | None:
        """The credentials for a registry that a repository was looked up in here, or that was named; None for any other."""
        if host not in self._hosts:
            return None
        with translated("ecr:GetAuthorizationToken"):
            answer = self._session.client("ecr").get_authorization_token()
        token = base64.b64decode(answer["authorizationData"][0]["authorizationToken"]).decode()
        user, _, password = token.partition(":")
        return Credentials(user=user, secret=Secret(password))

    def list_run(self, endpoint: str, *, besides: str | None = None) -> Iterator[str]:
        """Which images the models of an endpoint run, those of its jobs and without `besides`: each by its URI."""
        client = self._session.client("sagemaker")
        names = (str(model["ModelName"]) for model in list_models(self._session, endpoint))
        for name in (one for one in names if one != besides):
            model = unless_missing("sagemaker:DescribeModel", partial(client.describe_model, ModelName=name))
            if model is not None:
                yield str(model["PrimaryContainer"]["Image"])
