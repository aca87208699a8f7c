variable "name" {
  description = "What the roles' names begin with; `-tracking` and `-deployer` follow."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9+=,.@_-]{1,55}$", var.name))
    error_message = "A role's name has letters, digits and `+=,.@_-`; 55 characters leave room for `-deployer`."
  }
}

variable "cluster_name" {
  description = "The EKS cluster that the service accounts are in."
  type        = string

  validation {
    condition     = can(regex("^[0-9A-Za-z][0-9A-Za-z_-]{0,99}$", var.cluster_name))
    error_message = "A cluster's name has up to 100 letters, digits, `_` and `-`."
  }
}

variable "oidc_provider_arn" {
  description = "ARN of the cluster's OIDC provider, for IRSA; null for EKS Pod Identity, which needs its agent in the cluster."
  type        = string
  default     = null

  validation {
    condition     = var.oidc_provider_arn == null || can(regex("^arn:aws[a-z-]*:iam::\\d{12}:oidc-provider/.+$", var.oidc_provider_arn))
    error_message = "This is the ARN of an OIDC provider."
  }
}

variable "tracking" {
  description = "The tracking server's service account, where its artifacts are, its keys and secrets, and the database that it logs in to as a role."
  type = object({
    namespace       = string
    service_account = string
    bucket_arn      = string
    prefixes        = optional(set(string), [])
    kms_key_arns    = optional(list(string), [])
    secret_arns     = optional(list(string), [])
    database        = optional(object({ resource_id = string, user = string }))
  })
  default = null

  validation {
    condition     = try(alltrue([for name in [var.tracking.namespace, var.tracking.service_account] : can(regex("^[a-z0-9](-?[a-z0-9.])*$", name))]), var.tracking == null)
    error_message = "Namespace and service account are named as Kubernetes names them: no wildcard."
  }
  validation {
    condition     = var.tracking == null || can(regex("^arn:aws[a-z-]*:s3:::[a-z0-9.-]+$", var.tracking.bucket_arn))
    error_message = "This is the ARN of a bucket."
  }
  validation {
    condition     = try(alltrue([for prefix in var.tracking.prefixes : can(regex("^[^/*?]+(/[^/*?]+)*$", prefix))]), var.tracking == null)
    error_message = "A prefix, as a folder in the bucket, neither begins nor ends with `/`, and has no wildcard."
  }
  validation {
    condition     = try(alltrue([for arn in var.tracking.kms_key_arns : can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:\\d{12}:key/[^*]+$", arn))]), var.tracking == null)
    error_message = "Each is the ARN of a KMS key (not of an alias)."
  }
  validation {
    condition     = try(alltrue([for arn in var.tracking.secret_arns : can(regex("^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\\d{12}:secret:[^*]+$", arn))]), var.tracking == null)
    error_message = "Each is the ARN of a secret."
  }
  validation {
    condition     = try(var.tracking.database, null) == null || (can(regex("^(db|cluster)-[A-Z0-9]+$", var.tracking.database.resource_id)) && can(regex("^[A-Za-z0-9_]{1,32}$", var.tracking.database.user)))
    error_message = "A database is told by its resource id, as output `resource_id` of the module `database`, and its user by name."
  }
}

variable "deployer" {
  description = "The service account that deploys, and its policy as JSON: output `deployer_policy` of the module `sagemaker-role`."
  type        = object({ namespace = string, service_account = string, policy = string })
  default     = null

  validation {
    condition     = try(alltrue([for name in [var.deployer.namespace, var.deployer.service_account] : can(regex("^[a-z0-9](-?[a-z0-9.])*$", name))]), var.deployer == null)
    error_message = "Namespace and service account are named as Kubernetes names them: no wildcard."
  }
  validation {
    condition     = try(length(jsondecode(var.deployer.policy).Statement) > 0, var.deployer == null)
    error_message = "A policy is JSON with a `Statement`."
  }
}

variable "permissions_boundary" {
  description = "ARN of the policy that bounds the roles."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary == null || can(regex("^arn:aws[a-z-]*:iam::(\\d{12}|aws):policy/.+$", var.permissions_boundary))
    error_message = "This is the ARN of a managed policy."
  }
}

variable "tags" {
  description = "Tags of the roles and associations."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for key in keys(var.tags) : !startswith(lower(key), "aws:")])
    error_message = "Tags that begin with `aws:` are AWS's own."
  }
}
