"""Owns signing in to Amazon ECR: a token for twelve hours in exchange for AWS credentials. Imports boto3 only for ECR hosts.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html
"""

from __future__ import annotations

import base64
import re

from dockyard.domain.errors import CredentialsError
from dockyard_image.credentials import Credentials, Secret

_HOST = re.compile(r"(?P<account>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws)")


def find_ecr_credentials(host: str) -> Credentials | None:
    """The credentials for a registry host; None where it is not ECR's. Raises CredentialsError `credentials-refused`."""
    match = _HOST.fullmatch(host)
    if match is None:
        return None
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        answer = boto3.client("ecr", region_name=match["region"]).get_authorization_token(registryIds=[match["account"]])
    except (BotoCoreError, ClientError) as error:
        raise CredentialsError(
            "credentials-refused",
            f"AWS gives no token for {host}: {error}",
            hint="are there AWS credentials, and may they call ecr:GetAuthorizationToken?",
        ) from error
    token = base64.b64decode(answer["authorizationData"][0]["authorizationToken"]).decode()
    user, _, password = token.partition(":")
    return Credentials(user=user, secret=Secret(password))
