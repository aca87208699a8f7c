variable "endpoint" {
  description = "The endpoint that the roles are for: the deployment's name in the environment `sagemaker`, `<environment>-<deployment>` elsewhere; `*` for all."
  type        = string

  validation {
    condition     = var.endpoint == "*" || can(regex("^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$", var.endpoint))
    error_message = "An endpoint's name has up to 63 letters, digits and `-`, and neither begins nor ends with `-`."
  }
}

variable "role_name" {
  description = "Name of the execution role; the deployer's has `-deployer` after it."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9+=,.@_-]{1,55}$", var.role_name))
    error_message = "A role's name has letters, digits and `+=,.@_-`; 55 characters leave room for `-deployer`."
  }
}

variable "deployer_principal_arns" {
  description = "ARNs of roles that may become the deployer: pipelines, people. Empty: no such role is made; output `deployer_policy` has its policy."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.deployer_principal_arns : can(regex("^arn:aws[a-z-]*:iam::\\d{12}:(role|user)/.+$", arn))])
    error_message = "Each is the ARN of a role or a user."
  }
}

variable "bucket" {
  description = "S3 URI that model data goes below, as `bucket` in `dockyard.yaml`; null where models are in their images."
  type        = string
  default     = null

  validation {
    condition     = var.bucket == null || can(regex("^s3://[a-z0-9.-]+(/[^*]+)?$", var.bucket))
    error_message = "A URI is `s3://bucket` or `s3://bucket/prefix`."
  }
}

variable "async_uris" {
  description = "S3 URIs that an asynchronous endpoint writes answers and failures to."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for uri in var.async_uris : can(regex("^s3://[a-z0-9.-]+(/[^*]+)?$", uri))])
    error_message = "A URI is `s3://bucket` or `s3://bucket/prefix`."
  }
}

variable "capture_uri" {
  description = "S3 URI that requests and answers are captured to."
  type        = string
  default     = null

  validation {
    condition     = var.capture_uri == null || can(regex("^s3://[a-z0-9.-]+(/[^*]+)?$", var.capture_uri))
    error_message = "A URI is `s3://bucket` or `s3://bucket/prefix`."
  }
}

variable "topic_arns" {
  description = "ARNs of the SNS topics that an asynchronous endpoint tells."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.topic_arns : can(regex("^arn:aws[a-z-]*:sns:[a-z0-9-]+:\\d{12}:.+$", arn))])
    error_message = "Each is the ARN of a topic."
  }
}

variable "kms_key_arn" {
  description = "ARN of the key that volumes and data are encrypted with."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:\\d{12}:key/.+$", var.kms_key_arn))
    error_message = "This is the ARN of a KMS key (not of an alias), as output `key_arn` of the module `kms`."
  }
}

variable "in_vpc" {
  description = "Whether the endpoint has network interfaces in a VPC."
  type        = bool
  default     = false
}

variable "component" {
  description = "Whether models are inference components, several on one endpoint."
  type        = bool
  default     = false
}

variable "base_repository_arns" {
  description = "ARNs of the ECR repositories that base images are pulled from, such as that of an AWS Deep Learning Container."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.base_repository_arns : can(regex("^arn:aws[a-z-]*:ecr:[a-z0-9-]+:\\d{12}:repository/[a-z0-9._/-]+$", arn))])
    error_message = "These are ARNs of repositories: arn:aws:ecr:REGION:ACCOUNT:repository/NAME."
  }
}

variable "package_group" {
  description = "The model package group that revisions are registered in."
  type        = string
  default     = null

  validation {
    condition     = var.package_group == null || can(regex("^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$", var.package_group))
    error_message = "A group's name has up to 63 letters, digits and `-`, and neither begins nor ends with `-`."
  }
}

variable "permissions_boundary" {
  description = "ARN of the policy that bounds both roles."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary == null || can(regex("^arn:aws[a-z-]*:iam::(\\d{12}|aws):policy/.+$", var.permissions_boundary))
    error_message = "This is the ARN of a managed policy."
  }
}

variable "tags" {
  description = "Tags of the roles."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for key in keys(var.tags) : !startswith(lower(key), "aws:")])
    error_message = "Tags that begin with `aws:` are AWS's own."
  }
}
