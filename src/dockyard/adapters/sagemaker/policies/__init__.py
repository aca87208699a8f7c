"""Owns the least-privilege policies, JSON files beside this module, and filling them in. Contacts nothing.

A `${…}` is one value, or several where it stands alone as a Resource. A statement with a value that a deployment has no use for
is left out. What the values are and how to install the policies by hand is told in docs/how-to/sagemaker-permissions.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from urllib.parse import urlsplit

from dockyard.domain.sagemaker import Account, SageMakerSettings, derive_role_name, revision_name_stem
from dockyard.domain.sagemaker_batch import job_name_stem

SERVICE = "sagemaker.amazonaws.com"
Document = dict[str, object]
Statement = Mapping[str, object]
_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
_ALIAS = re.compile(r"(?:^|(?<=:))alias/.+")
_KEY_STATEMENTS = frozenset({"Key", "GrantKey", "DataKey"})
_Values = Mapping[str, tuple[str, ...]]
"""By the name of the placeholder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grantee:
    """The endpoint that a policy is for, and where. The endpoint may be a pattern, as `*` for all."""

    account: Account
    endpoint: str
    package_group: str | None = None
    """The model package group that its revisions are registered in."""
    bases: tuple[str, ...] = ()
    """ARNs of the ECR repositories that base images are pulled from."""


def render_deployer_policy(grantee: Grantee, settings: SageMakerSettings | None = None) -> Document:
    """What whoever deploys an endpoint needs; without settings, what the endpoint's own role and its image need only."""
    account = grantee.account
    role = f"arn:{account.partition}:iam::{account.id}:role/{derive_role_name(grantee.endpoint)}"
    values = {**_collect_values(grantee, settings), "role": (settings.role if settings else role,)}
    return _restrict_alias(_render("deployer", values), settings)


def render_execution_policy(grantee: Grantee, settings: SageMakerSettings) -> Document:
    """What the role that an endpoint runs as needs."""
    document = _render("execution-role", _collect_values(grantee, settings))
    kept = [one for one in list_statements(document) if one["Sid"] != "Network" or settings.network is not None]
    return _restrict_alias({**document, "Statement": kept}, settings)


def render_trust_policy(account: Account) -> Document:
    """Who may assume the role that an endpoint runs as: SageMaker, and for this account only."""
    document: Document = json.loads(_read("trust").replace("${account}", account.id))
    return document


def list_statements(document: Mapping[str, object]) -> list[Statement]:
    """The statements of a policy, also where one stands without a list."""
    statements = document.get("Statement", [])
    listed = statements if isinstance(statements, list) else [statements]
    return [one for one in listed if isinstance(one, Mapping)]


def list_texts(value: object) -> list[str]:
    """The texts of a member that may be one or a list of them."""
    return [str(one) for one in value] if isinstance(value, list) else [] if value is None else [str(value)]


def _collect_values(grantee: Grantee, settings: SageMakerSettings | None) -> _Values:
    account = grantee.account
    values: dict[str, tuple[str, ...]] = {
        "partition": (account.partition,),
        "region": (account.region,),
        "account": (account.id,),
        "endpoint": (grantee.endpoint,),
        "jobs": (job_name_stem(grantee.endpoint),),
        "revisions": (revision_name_stem(grantee.endpoint),),
    }
    if grantee.bases:
        values |= {"bases": grantee.bases}
    if grantee.package_group is not None:
        # Names in ARNs are in lower case; a list is of everything.
        values |= {"package_group": (grantee.package_group.lower(),), "packages": ("*",)}
    if settings is None:
        return values
    component = {"component": (grantee.endpoint,)} if settings.component else {}
    return {**values, **component, **_collect_places(account, settings)}


def _collect_places(account: Account, settings: SageMakerSettings) -> _Values:
    """Buckets, topics and key: those that there are."""
    waiting, capture = settings.asynchronous, settings.data_capture
    queued = [waiting.output, waiting.failures] if waiting else []
    written = [*queued, capture.destination] if capture else queued
    topics = [waiting.success_topic, waiting.error_topic] if waiting else []
    found = {
        "bucket": [read_bucket(settings.bucket)] if settings.bucket else [],
        "data": [settings.bucket.removeprefix("s3://").rstrip("/")] if settings.bucket else [],
        "queued": [arn for uri in queued if uri for arn in _name_objects(account, uri)],
        "written": [arn for uri in written if uri for arn in _name_objects(account, uri)],
        "topics": [topic for topic in topics if topic],
        "kms_key": [_name_key(account, settings.kms_key)] if settings.kms_key else [],
        "data_key": [_name_key(account, settings.kms_key)] if settings.kms_key and (settings.bucket or waiting) else [],
    }
    return {name: tuple(dict.fromkeys(values)) for name, values in found.items() if values}


def read_bucket(uri: str) -> str:
    """The bucket of an S3 URI."""
    return urlsplit(uri).netloc or uri.partition("/")[0]


def _name_objects(account: Account, uri: str) -> Iterator[str]:
    bucket, prefix = read_bucket(uri), urlsplit(uri).path.strip("/")
    yield f"arn:{account.partition}:s3:::{bucket}"
    yield f"arn:{account.partition}:s3:::{bucket}/{prefix}/*" if prefix else f"arn:{account.partition}:s3:::{bucket}/*"


def _name_key(account: Account, key: str) -> str:
    if key.startswith("arn:") and not _find_alias(key):
        return key
    return f"arn:{account.partition}:kms:{account.region}:{account.id}:key/{'*' if _find_alias(key) else key}"


def _find_alias(key: str) -> str | None:
    """The alias that a key is given by."""
    found = _ALIAS.search(key)
    return found[0] if found else None


def _restrict_alias(document: Document, settings: SageMakerSettings | None) -> Document:
    """Policies cannot name a key by its alias; a condition can."""
    alias = _find_alias(settings.kms_key) if settings and settings.kms_key else None
    if alias is None:
        return document
    condition = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": alias}}
    return {**document, "Statement": [_add_condition(one, condition) for one in list_statements(document)]}


def _add_condition(statement: Statement, condition: Mapping[str, object]) -> Statement:
    if statement["Sid"] not in _KEY_STATEMENTS:
        return statement
    there = statement.get("Condition", {})
    return {**statement, "Condition": {**(there if isinstance(there, Mapping) else {}), **condition}}


def _render(name: str, values: _Values) -> Document:
    document: Document = json.loads(_read(name))
    filled = [_fill_statement(one, values) for one in list_statements(document) if _find_missing(one) <= values.keys()]
    return {**document, "Statement": filled}


def _read(name: str) -> str:
    return files(__name__).joinpath(f"{name}.json").read_text("utf-8")


def _find_missing(statement: Statement) -> set[str]:
    return {name for text in list_texts(statement.get("Resource")) for name in _PLACEHOLDER.findall(text)}


def _fill_statement(statement: Statement, values: _Values) -> Document:
    if "Resource" not in statement:
        return dict(statement)
    filled = [arn for text in list_texts(statement["Resource"]) for arn in _fill(text, values)]
    return {**statement, "Resource": filled[0] if len(filled) == 1 else filled}


def _fill(text: str, values: _Values) -> Iterator[str]:
    whole = _PLACEHOLDER.fullmatch(text)
    if whole:
        yield from values[whole[1]]
    else:
        yield _PLACEHOLDER.sub(lambda found: values[found[1]][0], text)
