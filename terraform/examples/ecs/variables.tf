variable "name" {
  description = "What everything is called."
  type        = string
  default     = "mlflow"

  validation {
    condition     = can(regex("^[a-z](-?[a-z0-9]){0,31}$", var.name))
    error_message = "A name has up to 32 lower-case letters, digits and single `-`, and begins with a letter."
  }
}

variable "bucket" {
  description = "Name of the bucket that is made for artifacts."
  type        = string
}

variable "image" {
  description = "Image of the tracking server by its digest."
  type        = string
}

variable "host" {
  description = "Host name of the server."
  type        = string
}

variable "certificate_arn" {
  description = "ARN of the certificate for it."
  type        = string
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "private_subnet_ids" {
  description = "Private subnets in at least two zones, from which AWS can be reached."
  type        = set(string)
}

variable "client_blocks" {
  description = "Addresses that may ask the server."
  type        = set(string)
}

variable "database_ca" {
  description = "Certificates of RDS for the region: the text of `REGION-bundle.pem` from https://truststore.pki.rds.amazonaws.com."
  type        = string
}

variable "admin_password" {
  description = "Password of MLflow's administrator, 12 characters or more."
  type        = string
  ephemeral   = true
  sensitive   = true
}

variable "session_key" {
  description = "What sessions are signed with: any long random text."
  type        = string
  ephemeral   = true
  sensitive   = true
}

variable "users_revision" {
  description = "A number that is raised for another password or key."
  type        = number
  default     = 1
}
