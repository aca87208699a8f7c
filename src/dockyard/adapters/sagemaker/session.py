"""Owns AWS sessions: whose account, which region, and clients that are made when they are first needed.

Credentials come from where every AWS tool looks for them; a role that is to be assumed is assumed again before it expires, so a
rollout may take longer than a session does.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from dockyard.adapters.sagemaker.errors import translated
from dockyard.domain.errors import UsageError
from dockyard.domain.sagemaker import Account
from dockyard.domain.sagemaker_place import AwsAccess

if TYPE_CHECKING:
    import boto3

_USER_AGENT = "dockyard"
_REGIONS = {"pricing": "us-east-1"}
"""The price list is served there, for all regions."""


class Session:
    """One account in one region. Nothing is contacted before a client is used."""

    def __init__(self, access: AwsAccess) -> None:
        self._access = access
        self._session: boto3.Session | None = None
        self._clients: dict[str, Any] = {}
        self._account: Account | None = None

    def client(self, service: str) -> Any:  # noqa: ANN401  boto3's clients have no types
        """The client of a service. Raises UsageError `region-unknown`."""
        if service not in self._clients:
            from botocore.config import Config

            config = Config(
                retries={"mode": "standard", "max_attempts": 5},
                connect_timeout=10,
                read_timeout=70,
                user_agent_extra=_USER_AGENT,
            )
            with translated(f"open a client of {service}"):
                self._clients[service] = self._open().client(
                    service, region_name=_REGIONS.get(service, self.region), config=config
                )
        return self._clients[service]

    @property
    def region(self) -> str:
        """The region. Raises UsageError `region-unknown` where nothing says which."""
        region = self._named_region or self._open().region_name
        if not region:
            raise UsageError(
                "region-unknown",
                "nothing says in which AWS region",
                hint="set AWS_REGION, `region` in the AWS configuration, or `sagemaker.region` in dockyard.yaml",
            )
        return str(region)

    @property
    def _named_region(self) -> str | None:
        """The region that the configuration or AWS_REGION names; boto3 itself reads AWS_DEFAULT_REGION only."""
        return self._access.region or os.environ.get("AWS_REGION") or None

    def account(self) -> Account:
        """Whose account it is. Raises `credentials-refused`, `aws-unreachable`."""
        if self._account is None:
            with translated("sts:GetCallerIdentity"):
                identity = self.client("sts").get_caller_identity()
            partition = str(identity["Arn"]).split(":")[1]
            self._account = Account(id=str(identity["Account"]), region=self.region, partition=partition)
        return self._account

    def _open(self) -> boto3.Session:
        if self._session is None:
            import boto3

            with translated("open an AWS session"):
                base = boto3.Session(profile_name=self._access.profile, region_name=self._named_region)
            self._session = _assume(base, self._access) if self._access.assume_role else base
        return self._session


def _assume(base: boto3.Session, access: AwsAccess) -> boto3.Session:
    """A session whose credentials are a role's, fetched when they are first needed and again before they expire."""
    import boto3
    from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
    from botocore.session import get_session

    core = get_session()
    extra = {"RoleSessionName": _USER_AGENT} | ({"ExternalId": access.external_id} if access.external_id else {})
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=base.client,
        source_credentials=base.get_credentials(),
        role_arn=access.assume_role,
        extra_args=extra,
    )
    credentials = DeferredRefreshableCredentials(method="assume-role", refresh_using=fetcher.fetch_credentials)
    core._credentials = credentials  # noqa: SLF001  botocore's own way in for credentials that refresh themselves
    return boto3.Session(botocore_session=core, region_name=access.region or base.region_name)
