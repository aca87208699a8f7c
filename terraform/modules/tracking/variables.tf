variable "release" {
  description = "Name of the Helm release."
  type        = string
  default     = "team"

  validation {
    condition     = can(regex("^[a-z](-?[a-z0-9]){0,30}$", var.release))
    error_message = "A release has up to 31 lower-case letters, digits and single `-`, and begins with a letter."
  }
}

variable "namespace" {
  description = "Namespace of the release."
  type        = string
  default     = "mlflow"

  validation {
    condition     = can(regex("^[a-z0-9](-*[a-z0-9]){0,62}$", var.namespace))
    error_message = "A namespace has up to 63 lower-case letters, digits and `-`."
  }
}

variable "image" {
  description = "Image of the tracking server by its digest, made from `dockerfiles/tracking-server`."
  type        = string

  validation {
    condition     = can(regex("^\\S+/\\S+@sha256:[0-9a-f]{64}$", var.image))
    error_message = "An image is named by its digest, `registry/repository@sha256:…`: a tag may mean another image tomorrow."
  }
}

variable "database" {
  description = "The database, as the outputs of the module `database` say. The server signs in with tokens of IAM, so there is no password; the ConfigMap has the certificates of RDS as `ca.crt`."
  type = object({
    host           = string
    port           = optional(number, 3306)
    name           = optional(string, "mlflow")
    user           = optional(string, "mlflow")
    ca_config_map  = optional(string, "rds-ca")
    allowed_blocks = set(string)
  })

  validation {
    condition     = length(var.database.host) > 0 && var.database.port >= 1 && var.database.port <= 65535 && length(var.database.ca_config_map) > 0
    error_message = "A database has a host, a port from 1 to 65535, and certificates: tokens of IAM go through TLS only."
  }
  validation {
    condition     = length(var.database.allowed_blocks) >= 1 && alltrue([for block in var.database.allowed_blocks : can(cidrhost(block, 0))])
    error_message = "`allowed_blocks` are the addresses of the database's subnets, as 10.0.8.0/24: pods may connect to nobody else."
  }
}

variable "artifacts" {
  description = "The bucket, as output `bucket` of the module `artifacts`, its region, and the folder in it."
  type        = object({ bucket = string, region = string, prefix = optional(string, "mlflow") })

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.artifacts.bucket)) && can(regex("^[a-z]{2}(-[a-z]+)+-\\d$", var.artifacts.region))
    error_message = "A bucket has 3 to 63 lower-case letters, digits, `.` and `-`; a region is called as eu-west-1."
  }
}

variable "backup" {
  description = "Where backups of database and artifacts go in the bucket, when, and how many are kept; null: none are taken. Their account is one of `service_accounts`."
  type        = object({ prefix = optional(string, "backups"), schedule = optional(string, "17 2 * * *"), keep = optional(number, 14) })
  default     = null

  validation {
    condition     = var.backup == null ? true : can(regex("^[^/]+(/[^/]+)*$", var.backup.prefix)) && var.artifacts.prefix != "" && var.backup.prefix != var.artifacts.prefix
    error_message = "Backups have a folder of their own beside that of the artifacts."
  }
  validation {
    condition     = var.backup == null ? true : length(split(" ", var.backup.schedule)) == 5 && var.backup.keep >= 1
    error_message = "A schedule has the five fields of cron, and at least one backup is kept."
  }
}

variable "role_arn" {
  description = "ARN of the role for the service accounts (IRSA); null where EKS Pod Identity gives it to them."
  type        = string
  default     = null

  validation {
    condition     = var.role_arn == null || can(regex("^arn:aws[a-z-]*:iam::\\d{12}:role/.+$", var.role_arn))
    error_message = "This is the ARN of a role."
  }
}

variable "ingress" {
  description = "Host name of the server, class and namespace of the ingress controller, and the Secret with the certificate. Null: clients are in the cluster."
  type        = object({ host = string, class_name = string, controller_namespace = string, tls_secret = string })
  default     = null

  validation {
    condition     = var.ingress == null ? true : can(regex("^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", var.ingress.host)) && length(var.ingress.tls_secret) > 0
    error_message = "A host name has no scheme, and a certificate."
  }
}

variable "users_secret" {
  description = "Name of a Secret with `admin-password` and `session-key`, for MLflow's users and passwords; null: everybody who reaches the server may do everything."
  type        = string
  default     = null

  validation {
    condition     = var.users_secret == null || can(regex("^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", var.users_secret))
    error_message = "A Secret's name has lower-case letters, digits, `.` and `-`."
  }
}

variable "environments" {
  description = "Environments for `dockyard.yaml`: the namespace that models are deployed to, by the environment's name."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name, namespace in var.environments : can(regex("^[a-z0-9](-*[a-z0-9])*$", name)) && can(regex("^[a-z0-9](-*[a-z0-9]){0,62}$", namespace))])
    error_message = "Environments and namespaces have lower-case letters, digits and `-`."
  }
}

variable "models_repository" {
  description = "Where Dockyard pushes images of models to, as `repository_urls` of the module `registry`."
  type        = string
  default     = null

  validation {
    condition     = var.models_repository == null || can(regex("^[^\\s@:]+(:\\d+)?/[^\\s@:]+$", var.models_repository))
    error_message = "A repository has neither a tag nor a digest."
  }
}
