variable "backup_days" {
  description = "How far back the database can be brought to any second."
  type        = number
  default     = 14

  validation {
    condition     = var.backup_days >= 14 && var.backup_days <= 35 && floor(var.backup_days) == var.backup_days
    error_message = "14 to 35 days."
  }
}

variable "backup_window" {
  description = "When the daily backup is made, in UTC."
  type        = string
  default     = "02:00-03:00"

  validation {
    condition     = can(regex("^([01]\\d|2[0-3]):[0-5]\\d-([01]\\d|2[0-3]):[0-5]\\d$", var.backup_window))
    error_message = "A window is `hh:mm-hh:mm`."
  }
}

variable "maintenance_window" {
  description = "When AWS may bring the database up to date, in UTC."
  type        = string
  default     = "sun:03:30-sun:04:30"

  validation {
    condition     = can(regex("^((mon|tue|wed|thu|fri|sat|sun):([01]\\d|2[0-3]):[0-5]\\d(-|$)){2}$", var.maintenance_window))
    error_message = "A window is `ddd:hh:mm-ddd:hh:mm`, with days as `sun`."
  }
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete the database."
  type        = bool
  default     = true
}

variable "log_days" {
  description = "How long logs of errors, slow queries and connections are kept."
  type        = number
  default     = 365

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_days)
    error_message = "CloudWatch keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365 and some longer numbers of days."
  }
}

variable "permissions_boundary" {
  description = "ARN of the policy that bounds the role for monitoring."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary == null || can(regex("^arn:aws[a-z-]*:iam::(\\d{12}|aws):policy/.+$", var.permissions_boundary))
    error_message = "This is the ARN of a managed policy."
  }
}

variable "tags" {
  description = "Tags of everything."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for key in keys(var.tags) : !startswith(lower(key), "aws:")])
    error_message = "Tags that begin with `aws:` are AWS's own."
  }
}
