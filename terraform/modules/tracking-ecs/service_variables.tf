variable "kms_key_arn" {
  description = "ARN of the key of bucket, logs and secrets."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:\\d{12}:key/.+$", var.kms_key_arn))
    error_message = "This is the ARN of a KMS key (not of an alias), as output `key_arn` of the module `kms`."
  }
}

variable "users_secret_arn" {
  description = "ARN of a secret whose JSON has `admin-password` and `session-key`, for MLflow's users and passwords; null: who reaches the server may do everything. Terraform never reads it."
  type        = string
  default     = null

  validation {
    condition     = var.users_secret_arn == null || can(regex("^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\\d{12}:secret:.+$", var.users_secret_arn))
    error_message = "This is the ARN of a secret in Secrets Manager."
  }
}

variable "capacity" {
  description = "How many tasks serve, and what each has: units of CPU (1024 are one core), and memory."
  type        = object({ count = optional(number, 2), cpu = optional(number, 512), memory_mb = optional(number, 1024) })
  default     = {}

  validation {
    condition     = var.capacity.count >= 1 && contains([256, 512, 1024, 2048, 4096], var.capacity.cpu) && var.capacity.memory_mb >= 2 * var.capacity.cpu && var.capacity.memory_mb <= 8 * var.capacity.cpu && var.capacity.memory_mb % 1024 == 0
    error_message = "Fargate has 256 to 4096 units, and two to eight times as many MB, in steps of 1024."
  }
}

variable "log_days" {
  description = "How long logs are kept."
  type        = number
  default     = 365

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827], var.log_days)
    error_message = "CloudWatch keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096 or 1827 days."
  }
}

variable "access_logs_bucket" {
  description = "Name of a bucket that the balancer writes a line to for each request; null: it writes none."
  type        = string
  default     = null

  validation {
    condition     = var.access_logs_bucket == null || can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.access_logs_bucket))
    error_message = "A bucket has 3 to 63 lower-case letters, digits, `.` and `-`."
  }
}

variable "deletion_protection" {
  description = "Whether the balancer refuses to be deleted."
  type        = bool
  default     = true
}

variable "permissions_boundary" {
  description = "ARN of a policy that bounds what the roles may do."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary == null || can(regex("^arn:aws[a-z-]*:iam::(\\d{12}|aws):policy/.+$", var.permissions_boundary))
    error_message = "This is the ARN of a policy."
  }
}

variable "tags" {
  description = "Tags of everything that is made."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for key in keys(var.tags) : !startswith(lower(key), "aws:")])
    error_message = "Tags that begin with `aws:` are AWS's own."
  }
}
