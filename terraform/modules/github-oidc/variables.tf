variable "roles" {
  description = "Roles by name: the repository, as `owner/name`, whose jobs may become it, on which branches, in which environments or for pull requests, with which policy as JSON, for how long."
  type = map(object({
    repository      = string
    branches        = optional(set(string), [])
    environments    = optional(set(string), [])
    pull_requests   = optional(bool, false)
    policy          = string
    session_seconds = optional(number, 3600)
  }))

  validation {
    condition     = alltrue([for name in keys(var.roles) : can(regex("^[a-zA-Z0-9+=,.@_-]{1,64}$", name))])
    error_message = "A role's name has up to 64 letters, digits and `+=,.@_-`."
  }
  validation {
    condition     = alltrue([for role in values(var.roles) : can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", role.repository))])
    error_message = "A repository is `owner/name`: no wildcard."
  }
  validation {
    condition = alltrue(flatten([
      for role in values(var.roles) : [for text in setunion(role.branches, role.environments) : can(regex("^[^*?:\\s]+$", text))]
    ]))
    error_message = "A branch or an environment is named as it is: no wildcard, and no `:`."
  }
  validation {
    condition     = alltrue([for role in values(var.roles) : length(role.branches) + length(role.environments) > 0 || role.pull_requests])
    error_message = "A role says which jobs may become it: of a branch, of an environment, or of pull requests."
  }
  validation {
    condition     = alltrue([for role in values(var.roles) : !role.pull_requests || length(role.branches) + length(role.environments) == 0])
    error_message = "Anybody who may open a pull request chooses what its job does: such a role is one of its own, which only reads."
  }
  validation {
    condition     = alltrue([for role in values(var.roles) : can(length(jsondecode(role.policy).Statement) > 0)])
    error_message = "A policy is JSON with a `Statement`."
  }
  validation {
    condition     = alltrue([for role in values(var.roles) : role.session_seconds >= 3600 && role.session_seconds <= 43200])
    error_message = "A role is lent for 3600 to 43200 seconds."
  }
}

variable "provider_arn" {
  description = "ARN of the account's OIDC provider for GitHub where there is one already: an account has at most one."
  type        = string
  default     = null

  validation {
    condition     = var.provider_arn == null || can(regex("^arn:aws[a-z-]*:iam::\\d{12}:oidc-provider/token\\.actions\\.githubusercontent\\.com$", var.provider_arn))
    error_message = "This is the ARN of the provider `token.actions.githubusercontent.com`."
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
  description = "Tags of the roles and the provider."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for key in keys(var.tags) : !startswith(lower(key), "aws:")])
    error_message = "Tags that begin with `aws:` are AWS's own."
  }
}
