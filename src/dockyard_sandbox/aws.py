"""Calls of our own to the services that moto stands in for.

Owns the clients. Must not be used to answer a client's request: those go through `neighbours` byte for byte.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Protocol, cast

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from dockyard_sandbox.fields import Fields, as_fields

_CONFIG = Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}, max_pool_connections=20)


class AwsError(Exception):
    """A refusal, with the service's code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Body(Protocol):
    """The body of an object, as it is streamed."""

    def iter_chunks(self, chunk_size: int = 1024) -> Iterator[bytes]:
        """Its parts."""
        ...


class Aws:
    """Speaks to one server as the account's owner. `address` is asked for when the first call is made."""

    def __init__(self, address: Callable[[], str]) -> None:
        self._address = address
        self._session = Session()
        self._clients: dict[tuple[str, str], object] = {}
        self._lock = threading.Lock()

    def call(self, service: str, region: str, operation: str, **parameters: object) -> Fields:
        """Call an operation by its name in Python's style, such as `get_role`. Raises AwsError."""
        method = cast("Callable[..., object]", getattr(self._find_client(service, region), operation))
        try:
            return as_fields(method(**parameters))
        except ClientError as error:
            told = as_fields(error.response).child("Error")
            raise AwsError(told.text("Code"), told.text("Message")) from error
        except BotoCoreError as error:
            raise AwsError(type(error).__name__, str(error)) from error

    def read_object(self, region: str, bucket: str, key: str) -> Iterator[bytes]:
        """An object's content. Raises AwsError."""
        body = cast("Body", self.call("s3", region, "get_object", Bucket=bucket, Key=key)["Body"])
        yield from body.iter_chunks(1 << 20)

    def list_keys(self, region: str, bucket: str, prefix: str) -> Iterator[str]:
        """The keys of the objects below a prefix. Raises AwsError."""
        more: dict[str, object] = {}
        while True:
            page = self.call("s3", region, "list_objects_v2", Bucket=bucket, Prefix=prefix, **more)
            yield from (item.text("Key") for item in page.items_of("Contents"))
            if not page.flag("IsTruncated"):
                return
            more = {"ContinuationToken": page.text("NextContinuationToken")}

    def _find_client(self, service: str, region: str) -> object:
        with self._lock:
            client = self._clients.get((service, region))
            if client is None:
                client = self._clients[service, region] = self._session.create_client(
                    service,
                    region_name=region,
                    endpoint_url=f"http://{self._address()}",
                    aws_access_key_id="sandbox",
                    aws_secret_access_key="sandbox",  # noqa: S106  moto asks for one, and checks none
                    config=_CONFIG,
                )
            return client
