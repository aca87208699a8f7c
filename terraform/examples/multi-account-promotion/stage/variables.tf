variable "endpoint" {
  description = "Name of the endpoint."
  type        = string
}

variable "repository_arn" {
  description = "ARN of the repository that its image is in."
  type        = string
}

variable "image" {
  description = "The image by its digest; null until there is one."
  type        = string
}

variable "instances" {
  description = "How many instances serve."
  type        = number
}
