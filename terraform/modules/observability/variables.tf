variable "name" {
  description = "What topic, dashboard and budget are called; names of alarms begin with this."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{1,100}$", var.name))
    error_message = "A name has up to 100 letters, digits, `_` and `-`."
  }
}

variable "kms_key_arn" {
  description = "ARN of the key that messages are encrypted with."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:\\d{12}:key/.+$", var.kms_key_arn))
    error_message = "This is the ARN of a KMS key (not of an alias), as output `key_arn` of the module `kms`."
  }
}

variable "emails" {
  description = "Addresses that are told; each confirms once that it wants to be."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.emails : can(regex("^[^@\\s]+@[^@\\s]+$", address))])
    error_message = "Each is an address of e-mail."
  }
}

variable "monthly_budget" {
  description = "US dollars that the account may cost in a month: it is told at 80 percent, and when the forecast is above all of it."
  type        = number
  default     = null

  validation {
    condition     = try(var.monthly_budget > 0, var.monthly_budget == null)
    error_message = "A budget is more than nothing."
  }
}

variable "endpoints" {
  description = "Names of the endpoints that are watched."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for name in var.endpoints : can(regex("^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$", name))])
    error_message = "An endpoint's name has up to 63 letters, digits and `-`, and neither begins nor ends with `-`."
  }
}

variable "database" {
  description = "The database that is watched: output `identifier` of the module `database`, whether it is Aurora, how many connections are too many, how little free storage is too little."
  type = object({
    identifier      = string
    aurora          = optional(bool, false)
    max_connections = optional(number, 200)
    min_free_gib    = optional(number, 5)
  })
  default = null

  validation {
    condition     = try(can(regex("^[a-z](-?[a-z0-9])*$", var.database.identifier)), false) || var.database == null
    error_message = "A database's name has lower-case letters, digits and single `-`, and begins with a letter."
  }
  validation {
    condition     = try(var.database.max_connections >= 1 && var.database.min_free_gib > 0, var.database == null)
    error_message = "At least one connection, and more than no storage."
  }
}

variable "tags" {
  description = "Tags of topic, alarms and budget."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for key in keys(var.tags) : !startswith(lower(key), "aws:")])
    error_message = "Tags that begin with `aws:` are AWS's own."
  }
}
