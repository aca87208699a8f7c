variable "endpoint" {
  description = "Name of the endpoint, in every account."
  type        = string
  default     = "wine"
}

variable "region" {
  description = "Region of all accounts."
  type        = string
}

variable "role_arns" {
  description = "ARNs of the roles that Terraform takes on in the accounts: the one that builds, and the two that serve."
  type        = object({ tools = string, staging = string, prod = string })

  validation {
    condition     = alltrue([for arn in values(var.role_arns) : can(regex("^arn:aws[a-z-]*:iam::\\d{12}:role/.+$", arn))]) && length(distinct([for arn in values(var.role_arns) : split(":", arn)[4]])) == 3
    error_message = "Three roles, in three accounts."
  }
}

variable "images" {
  description = "The image by its digest for each account; null: no endpoint there yet. To promote is to write that of `staging` to `prod`."
  type        = object({ staging = optional(string), prod = optional(string) })
  default     = {}

  validation {
    condition     = var.images.prod == null || var.images.staging != null
    error_message = "What serves in `prod` was in `staging` before, and something stays there."
  }
}
