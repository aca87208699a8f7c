variable "name" {
  description = "What the key's alias is called, without `alias/`."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9/_-]{1,250}$", var.name)) && !startswith(var.name, "aws/")
    error_message = "A name has up to 250 letters, digits, `/`, `_` and `-`, and does not begin with `aws/`, which is AWS's own."
  }
}

variable "deletion_window_days" {
  description = "How long a deleted key can still be brought back."
  type        = number
  default     = 30

  validation {
    condition     = var.deletion_window_days >= 7 && var.deletion_window_days <= 30
    error_message = "AWS waits for 7 to 30 days."
  }
}

variable "rotation_days" {
  description = "How often AWS makes new key material."
  type        = number
  default     = 365

  validation {
    condition     = var.rotation_days >= 90 && var.rotation_days <= 2560
    error_message = "AWS rotates every 90 to 2560 days."
  }
}

variable "user_arns" {
  description = "ARNs of roles that may encrypt and decrypt with the key, besides those whose own policies allow it."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.user_arns : can(regex("^arn:aws[a-z-]*:iam::\\d{12}:role/.+$", arn))])
    error_message = "Each is the ARN of a role."
  }
}

variable "services" {
  description = "AWS services that may use the key on behalf of this account, by principal: `logs.eu-west-1.amazonaws.com`, `sns.amazonaws.com`."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for service in var.services : can(regex("^[a-z0-9.-]+\\.amazonaws\\.com$", service))])
    error_message = "Each is a service principal, which ends in `.amazonaws.com`."
  }
}

variable "tags" {
  description = "Tags of the key."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for key in keys(var.tags) : !startswith(lower(key), "aws:")])
    error_message = "Tags that begin with `aws:` are AWS's own."
  }
}
