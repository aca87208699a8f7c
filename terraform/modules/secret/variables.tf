variable "name" {
  description = "Name of the secret."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9/_+=.@-]{1,512}$", var.name)) && !can(regex("-[a-zA-Z0-9]{6}$", var.name))
    error_message = "A name has up to 512 letters, digits and `/_+=.@-`; it does not end with `-` and six characters, as ARNs of secrets do."
  }
}

variable "description" {
  description = "What the secret is for."
  type        = string

  validation {
    condition     = length(var.description) > 0 && length(var.description) <= 2048
    error_message = "There is a description of up to 2048 characters."
  }
}

variable "kms_key_arn" {
  description = "ARN of the key that the secret is encrypted with."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:\\d{12}:key/.+$", var.kms_key_arn))
    error_message = "This is the ARN of a KMS key (not of an alias), as output `key_arn` of the module `kms`."
  }
}

variable "values" {
  description = "The values by their keys. They go to Secrets Manager, and neither into the plan nor into the state; they count only when `revision` changes."
  type        = map(string)
  ephemeral   = true
  sensitive   = true

  validation {
    condition     = length(var.values) >= 1 && alltrue([for value in values(var.values) : length(value) > 0])
    error_message = "There is at least one value, and none is empty."
  }
}

variable "revision" {
  description = "A number that is raised for new values: Terraform keeps none to compare with."
  type        = number
  default     = 1

  validation {
    condition     = var.revision >= 1 && floor(var.revision) == var.revision
    error_message = "A revision is 1 or a whole number above."
  }
}

variable "recovery_days" {
  description = "How long a deleted secret can be had back: 7 to 30 days, or 0."
  type        = number
  default     = 30

  validation {
    condition     = var.recovery_days == 0 || (var.recovery_days >= 7 && var.recovery_days <= 30)
    error_message = "7 to 30 days, or 0 for not at all."
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
