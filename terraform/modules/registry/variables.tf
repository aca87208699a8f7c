variable "repositories" {
  description = "Names of the image repositories; Dockyard's own are `dockyard/` and the endpoint's name."
  type        = set(string)

  validation {
    condition = alltrue([
      for name in var.repositories : length(name) <= 256 && can(regex("^[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*$", name))
    ])
    error_message = "A repository's name has lower-case letters and digits, with single `.`, `_`, `-` and `/` between them."
  }
}

variable "kms_key_arn" {
  description = "ARN of the key that images are encrypted with. Another key makes another repository."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:\\d{12}:key/.+$", var.kms_key_arn))
    error_message = "This is the ARN of a KMS key (not of an alias), as output `key_arn` of the module `kms`."
  }
}

variable "untagged_days" {
  description = "After how long an image without a tag is deleted. Dockyard tags what it deploys."
  type        = number
  default     = 14

  validation {
    condition     = var.untagged_days >= 1 && floor(var.untagged_days) == var.untagged_days
    error_message = "At least one whole day."
  }
}

variable "keep_by_prefix" {
  description = "How many of the newest images to keep of those whose tags begin with a prefix, as `{ \"ci-\" = 50 }`. Others with a tag stay."
  type        = map(number)
  default     = {}

  validation {
    condition     = alltrue([for prefix, count in var.keep_by_prefix : length(prefix) > 0 && count >= 1 && floor(count) == count])
    error_message = "A prefix is not empty, and at least one image is kept: a rule for all tags would delete images that are deployed."
  }
}

variable "reader_account_ids" {
  description = "Accounts that may pull: those that images are promoted to."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for id in var.reader_account_ids : can(regex("^\\d{12}$", id))])
    error_message = "An account's id has 12 digits."
  }
}

variable "force_delete" {
  description = "Whether `destroy` deletes repositories that have images."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of the repositories."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for key in keys(var.tags) : !startswith(lower(key), "aws:")])
    error_message = "Tags that begin with `aws:` are AWS's own."
  }
}
