variable "endpoint" {
  description = "Name of the endpoint."
  type        = string
  default     = "prod-wine"

  validation {
    condition     = can(regex("^[a-z0-9](-*[a-z0-9]){0,45}$", var.endpoint))
    error_message = "A name has up to 46 lower-case letters, digits and `-`."
  }
}

variable "bucket" {
  description = "Name of the bucket that is made for models."
  type        = string
}

variable "image" {
  description = "The serving image by its digest; null until there is one: then all but the endpoint is made."
  type        = string
  default     = null
}

variable "instance_type" {
  description = "What the endpoint runs on."
  type        = string
  default     = "ml.m5.large"
}
