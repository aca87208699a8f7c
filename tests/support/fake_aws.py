"""A session with AWS that answers what a test says, and the errors that boto3 raises."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from botocore.exceptions import ClientError

from dockyard.domain.sagemaker import Account

ACCOUNT = Account(id="123456789012", region="eu-west-1")
CALLER = "arn:aws:iam::123456789012:user/deployer"


def refuse(code: str, message: str = "no") -> ClientError:
    """What boto3 raises for a service's refusal."""
    return ClientError({"Error": {"Code": code, "Message": message}}, "Operation")


@dataclass
class FakeClient:
    """A boto3 client. An answer is a value, an exception to raise, or a function of the call's arguments."""

    answers: dict[str, Any]
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        if operation not in self.answers:
            raise AttributeError(operation)
        return lambda **arguments: self._answer(operation, arguments)

    def get_paginator(self, operation: str) -> FakePaginator:
        """Pages of an operation, whose answer is a list of them."""
        return FakePaginator(client=self, operation=operation)

    def _answer(self, operation: str, arguments: dict[str, Any]) -> Any:  # noqa: ANN401  as boto3
        self.calls.append((operation, arguments))
        answer = self.answers[operation]
        if isinstance(answer, Exception):
            raise answer
        return answer(**arguments) if callable(answer) else answer


@dataclass
class FakePaginator:
    """A boto3 paginator."""

    client: FakeClient
    operation: str

    def paginate(self, **arguments: Any) -> Iterator[Any]:  # noqa: ANN401  as boto3
        """All pages."""
        yield from self.client._answer(self.operation, arguments)


class FakeClients:
    """A session: the services that a test scripts, and nothing else."""

    def __init__(
        self, account: Account | Exception = ACCOUNT, services: Mapping[str, dict[str, Any]] = MappingProxyType({})
    ) -> None:
        self._account = account
        self.clients = {name: FakeClient(answers) for name, answers in services.items()}

    def client(self, service: str) -> FakeClient:
        """The scripted client of a service."""
        return self.clients[service]

    def account(self) -> Account:
        """The account, or its failure."""
        if isinstance(self._account, Exception):
            raise self._account
        return self._account
