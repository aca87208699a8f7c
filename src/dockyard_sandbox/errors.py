"""Refusals, as AWS words them.

Owns the error that operations raise, and the texts that clients branch on. Must not know HTTP beyond the status.
"""

from __future__ import annotations


class ApiError(Exception):
    """An answer that is an error: `code` is what boto3 gives as `Error.Code`."""

    def __init__(self, code: str, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def refuse(message: str) -> ApiError:
    """A ValidationException, which is how SageMaker answers nearly everything that is wrong."""
    return ApiError("ValidationException", message)


def refuse_missing(label: str, arn: str) -> ApiError:
    """What is named does not exist. SageMaker has three ways to say so."""
    if label.startswith("model package"):
        return refuse(f"{_join_words(label)} {arn} does not exist.")
    if label == "transform job":
        return refuse(f"Could not find requested job with name: {arn.rpartition('/')[2]}")
    return refuse(f'Could not find {label} "{arn}".')


def refuse_existing(label: str, arn: str) -> ApiError:
    """What is to be made exists."""
    if label.startswith("model package"):
        return refuse(f"{_join_words(label)} already exists: {arn}")
    if label == "transform job":
        message = "Job name must be unique within an AWS account and region, and a job with this name already exists"
        return ApiError("ResourceInUse", f"{message} ({arn})")
    return refuse(f'Cannot create already existing {label} "{arn}".')


def refuse_in_progress(label: str, arn: str) -> ApiError:
    """It is being created, changed or deleted: nobody else may change it now."""
    return refuse(f'Cannot update in-progress {label} "{arn}".')


def refuse_role(role_arn: str) -> ApiError:
    """A role that does not exist, does not trust SageMaker, or is so new that SageMaker does not see it."""
    return refuse(
        f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal "
        f"'sagemaker.amazonaws.com' to assume the role."
    )


def refuse_model_data(uri: str, role_arn: str, region: str) -> ApiError:
    """Model data that is not there, or that the role may not read: AWS does not say which."""
    return refuse(
        f'Could not access model data at {uri}. Please ensure that the role "{role_arn}" exists and that its trust '
        f'relationship policy allows the action "sts:AssumeRole" for the service principal "sagemaker.amazonaws.com". '
        f'Also ensure that the role has "s3:GetObject" permissions and that the object is located in {region}. If your Model '
        f'uses multiple models or uncompressed models, please ensure that the role has "s3:ListBucket" permission.'
    )


def exceed_quota(limit: str, *, value: int, used: int, wanted: int) -> ApiError:
    """More than the account's quota allows."""
    return ApiError(
        "ResourceLimitExceeded",
        f"The account-level service limit '{limit}' is {value} Instances, with current utilization of {used} Instances and a "
        f"request delta of {wanted} Instances. Please use AWS Service Quotas to request an increase for this quota. If AWS "
        f"Service Quotas is not available, contact AWS support to request an increase for this quota.",
    )


def _join_words(label: str) -> str:
    return "".join(word.capitalize() for word in label.split())
