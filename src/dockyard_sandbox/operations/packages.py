"""Model package groups and model packages: SageMaker's model registry.

Owns their operations: versions within a group, approval, and that a repeated call with a ClientToken makes nothing new.
Must not read model cards or metrics: they are kept as they are.
"""

from __future__ import annotations

from collections.abc import Mapping

from dockyard_sandbox.errors import ApiError, refuse
from dockyard_sandbox.fields import Fields
from dockyard_sandbox.operations.call import ApiCall, Operations
from dockyard_sandbox.operations.listing import Listed, list_page
from dockyard_sandbox.pace import Pace
from dockyard_sandbox.workers import Workers
from dockyard_sandbox.world import Record, World

_KEPT = (
    "ModelPackageDescription",
    "ModelPackageRegistrationType",
    "InferenceSpecification",
    "ValidationSpecification",
    "SourceAlgorithmSpecification",
    "CertifyForMarketplace",
    "MetadataProperties",
    "ModelMetrics",
    "Domain",
    "Task",
    "SamplePayloadUrl",
    "CustomerMetadataProperties",
    "DriftCheckBaselines",
    "AdditionalInferenceSpecifications",
    "SkipModelValidation",
    "SourceUri",
    "SecurityConfig",
    "ModelCard",
    "ModelLifeCycle",
    "ManagedStorageType",
)
_CHANGED = ("ModelPackageRegistrationType", "InferenceSpecification", "SourceUri", "ModelCard", "ModelLifeCycle")
_SUMMED = ("ModelPackageDescription", "ModelPackageRegistrationType", "ModelLifeCycle")


class PackageOperations:
    """The operations."""

    def __init__(self, pace: Pace, workers: Workers) -> None:
        self._pace = pace
        self._workers = workers

    def offer(self) -> Operations:
        """The operations by name."""
        return {
            "CreateModelPackageGroup": create_group,
            "DescribeModelPackageGroup": describe_group,
            "DeleteModelPackageGroup": delete_group,
            "ListModelPackageGroups": list_groups,
            "CreateModelPackage": self._create,
            "DescribeModelPackage": describe_package,
            "UpdateModelPackage": update_package,
            "DeleteModelPackage": delete_package,
            "ListModelPackages": list_packages,
        }

    def _create(self, call: ApiCall) -> Mapping[str, object]:
        request, table = call.request, call.world.table("model-package")
        if ("ModelPackageName" in request) == ("ModelPackageGroupName" in request):
            raise refuse("Exactly one of ModelPackageName and ModelPackageGroupName must be specified.")
        with call.world.lock:
            known = _find_by_token(call.world, request.text("ClientToken"))
            if known is not None:
                return {"ModelPackageArn": known.arn}
            name, state = _name_package(call)
            record = table.add(name, request, Fields({**request.only(*_KEPT), **state, "Status": "Pending"}))
        self._workers.run(f"complete {name}", lambda: self._complete(call.world, name))
        return {"ModelPackageArn": record.arn}

    def _complete(self, world: World, name: str) -> None:
        for status in ("InProgress", "Completed"):
            self._pace.sleep(self._pace.durations.package / 2)
            world.table("model-package").change(name, Status=status)


def create_group(call: ApiCall) -> Mapping[str, object]:
    """CreateModelPackageGroup."""
    record = call.world.table("model-package-group").add(call.request.text("ModelPackageGroupName"), call.request)
    return {"ModelPackageGroupArn": record.arn}


def describe_group(call: ApiCall) -> Mapping[str, object]:
    """DescribeModelPackageGroup."""
    return {**_summarize_group(_require_group(call.world, call.request)), "CreatedBy": {}}


def delete_group(call: ApiCall) -> Mapping[str, object]:
    """DeleteModelPackageGroup. Raises ApiError while it has packages."""
    with call.world.lock:
        record = _require_group(call.world, call.request)
        if _list_versions(call.world, record.name):
            raise ApiError("ConflictException", f"ModelPackageGroup {record.arn} has model packages.")
        call.world.table("model-package-group").remove(record.name)
    return {}


def list_groups(call: ApiCall) -> Mapping[str, object]:
    """ListModelPackageGroups."""
    records = call.world.table("model-package-group").list_records()
    return list_page(
        (_list_item(one, "", _summarize_group(one)) for one in records), call.request, "ModelPackageGroupSummaryList"
    )


def describe_package(call: ApiCall) -> Mapping[str, object]:
    """DescribeModelPackage."""
    record = _require_package(call.world, call.request.text("ModelPackageName"))
    failed: list[object] = []
    return {
        **_identify(record),
        **record.state.only(*_KEPT, "ModelApprovalStatus", "ApprovalDescription"),
        "CreationTime": record.created,
        "LastModifiedTime": record.modified,
        "ModelPackageStatus": record.state.text("Status"),
        "ModelPackageStatusDetails": {"ValidationStatuses": failed, "ImageScanStatuses": failed},
    }


def update_package(call: ApiCall) -> Mapping[str, object]:
    """UpdateModelPackage."""
    request = call.request
    with call.world.lock:
        record = _require_package(call.world, request.text("ModelPackageArn"))
        removed = request.texts("CustomerMetadataPropertiesToRemove")
        properties = {**record.state.text_map("CustomerMetadataProperties"), **request.text_map("CustomerMetadataProperties")}
        changes = request.only(*_CHANGED, "ModelApprovalStatus", "ApprovalDescription")
        kept = {key: value for key, value in properties.items() if key not in removed}
        if kept or "CustomerMetadataProperties" in record.state:
            changes["CustomerMetadataProperties"] = kept or None
        more = request.items_of("AdditionalInferenceSpecificationsToAdd")
        if more:
            before = record.state.items_of("AdditionalInferenceSpecifications")
            changes["AdditionalInferenceSpecifications"] = [one.plain() for one in before + more]
        state = {name: value for name, value in {**record.state, **changes}.items() if value is not None}
        call.world.table("model-package").replace_state(record.name, Fields(state))
    return {"ModelPackageArn": record.arn}


def delete_package(call: ApiCall) -> Mapping[str, object]:
    """DeleteModelPackage."""
    with call.world.lock:
        record = _require_package(call.world, call.request.text("ModelPackageName"))
        call.world.table("model-package").remove(record.name)
    return {}


def list_packages(call: ApiCall) -> Mapping[str, object]:
    """ListModelPackages: of a group its versions; without one those that have no group, unless another type is asked for."""
    request = call.request
    group = request.text("ModelPackageGroupName").rpartition("/")[2]
    kind = request.text("ModelPackageType", "Versioned" if group else "Unversioned")
    status = request.text("ModelApprovalStatus")
    items = (
        _list_item(one, one.state.text("ModelApprovalStatus"), _summarize_package(one))
        for one in call.world.table("model-package").list_records()
        if kind in {"Both", "Versioned" if _group_of(one) else "Unversioned"}
        and group.lower() in {"", _group_of(one).lower()}
        and status in {"", one.state.text("ModelApprovalStatus")}
    )
    return list_page(items, request, "ModelPackageSummaryList")


def _name_package(call: ApiCall) -> tuple[str, dict[str, object]]:
    request = call.request
    if "ModelPackageName" in request:
        return request.text("ModelPackageName"), {}
    group = _require_group(call.world, request)
    version = group.state.whole("LastVersion") + 1
    call.world.table("model-package-group").change(group.name, LastVersion=version)
    status = request.text("ModelApprovalStatus", "PendingManualApproval")
    return f"{group.name}/{version}", {"Group": group.name, "Version": version, "ModelApprovalStatus": status}


def _find_by_token(world: World, token: str) -> Record | None:
    records = world.table("model-package").list_all() if token else ()
    return next((record for record in records if record.request.text("ClientToken") == token), None)


def _require_group(world: World, request: Fields) -> Record:
    return world.table("model-package-group").require(request.text("ModelPackageGroupName").rpartition("/")[2])


def _require_package(world: World, name: str) -> Record:
    return world.table("model-package").require(name.rpartition(":model-package/")[2] or name)


def _list_versions(world: World, group: str) -> list[Record]:
    return [record for record in world.table("model-package").list_all() if _group_of(record) == group]


def _group_of(record: Record) -> str:
    return record.state.text("Group")


def _identify(record: Record) -> dict[str, object]:
    group = _group_of(record)
    versioned: dict[str, object] = {"ModelPackageGroupName": group, "ModelPackageVersion": record.state.whole("Version")}
    return {"ModelPackageName": group or record.name, "ModelPackageArn": record.arn, **(versioned if group else {})}


def _summarize_package(record: Record) -> dict[str, object]:
    """A version has no name of its own in lists: https://github.com/aws/sagemaker-python-sdk/issues/5606."""
    identity = {name: value for name, value in _identify(record).items() if name != "ModelPackageName" or not _group_of(record)}
    return {
        **identity,
        **record.state.only(*_SUMMED, "ModelApprovalStatus"),
        "CreationTime": record.created,
        "ModelPackageStatus": record.state.text("Status"),
    }


def _summarize_group(record: Record) -> dict[str, object]:
    return {
        "ModelPackageGroupName": record.name,
        "ModelPackageGroupArn": record.arn,
        "CreationTime": record.created,
        "ModelPackageGroupStatus": "Completed",
        **record.request.only("ModelPackageGroupDescription", "ManagedConfiguration"),
    }


def _list_item(record: Record, status: str, summary: Mapping[str, object]) -> Listed:
    return Listed(name=record.name, created=record.created, modified=record.modified, status=status, summary=summary)
