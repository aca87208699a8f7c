variable "bucket" {
  description = "Name of the bucket, unique in all of AWS."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.bucket))
    error_message = "A bucket's name has 3 to 63 lower-case letters, digits and `-` (a `.` breaks its TLS certificate)."
  }
}

variable "kms_key_arn" {
  description = "ARN of the key that objects are encrypted with; other keys are refused."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:\\d{12}:key/.+$", var.kms_key_arn))
    error_message = "This is the ARN of a KMS key (not of an alias), as output `key_arn` of the module `kms`."
  }
}

variable "noncurrent_days" {
  description = "How long a replaced or deleted object can be brought back."
  type        = number
  default     = 90

  validation {
    condition     = var.noncurrent_days >= 1 && floor(var.noncurrent_days) == var.noncurrent_days
    error_message = "At least one whole day."
  }
}

variable "abort_multipart_days" {
  description = "After how long the parts of an upload that was never completed are deleted."
  type        = number
  default     = 7

  validation {
    condition     = var.abort_multipart_days >= 1 && floor(var.abort_multipart_days) == var.abort_multipart_days
    error_message = "At least one whole day."
  }
}

variable "expire_prefix_days" {
  description = "Prefixes whose objects are deleted, with after how many days: answers of asynchronous endpoints, captured data."
  type        = map(number)
  default     = {}

  validation {
    condition     = alltrue([for prefix, days in var.expire_prefix_days : can(regex("^[^/].*/$", prefix)) && days >= 1 && floor(days) == days])
    error_message = "A prefix ends in `/` and does not begin with one; its objects stay at least one whole day."
  }
}

variable "log_bucket" {
  description = "Bucket that gets the log of all accesses; none by default, for CloudTrail's data events tell more."
  type        = string
  default     = null

  validation {
    condition     = var.log_bucket != var.bucket
    error_message = "A bucket that logs accesses to itself never stops."
  }
}

variable "force_destroy" {
  description = "Whether `destroy` deletes a bucket that has objects, with every version of them."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of the bucket."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for key in keys(var.tags) : !startswith(lower(key), "aws:")])
    error_message = "Tags that begin with `aws:` are AWS's own."
  }
}
