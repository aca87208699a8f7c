variable "name" {
  description = "What cluster, service, balancer and roles are called."
  type        = string

  validation {
    condition     = can(regex("^[a-z](-?[a-z0-9]){0,31}$", var.name)) && !startswith(var.name, "internal-")
    error_message = "A name has up to 32 lower-case letters, digits and single `-`, and begins with a letter."
  }
}

variable "image" {
  description = "Image of the tracking server by its digest, made from `dockerfiles/tracking-server`."
  type        = string

  validation {
    condition     = can(regex("^\\S+/\\S+@sha256:[0-9a-f]{64}$", var.image))
    error_message = "An image is named by its digest, `registry/repository@sha256:…`: a tag may mean another image tomorrow."
  }
}

variable "host" {
  description = "Host name of the server, as its certificate has it."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", var.host))
    error_message = "A host name has no scheme and no port."
  }
}

variable "certificate_arn" {
  description = "ARN of the certificate for `host`, from ACM."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:acm:[a-z0-9-]+:\\d{12}:certificate/.+$", var.certificate_arn))
    error_message = "This is the ARN of a certificate in ACM."
  }
}

variable "vpc_id" {
  description = "The VPC, as output `vpc_id` of the module `network`."
  type        = string

  validation {
    condition     = startswith(var.vpc_id, "vpc-")
    error_message = "A VPC's id begins with `vpc-`."
  }
}

variable "private_subnet_ids" {
  description = "Where tasks run: private subnets in at least two zones."
  type        = set(string)

  validation {
    condition     = length(var.private_subnet_ids) >= 2 && alltrue([for id in var.private_subnet_ids : startswith(id, "subnet-")])
    error_message = "There are at least two subnets; an id begins with `subnet-`."
  }
}

variable "balancer_subnet_ids" {
  description = "Where the balancer is: private subnets, or public ones with `internal = false`."
  type        = set(string)

  validation {
    condition     = length(var.balancer_subnet_ids) >= 2 && alltrue([for id in var.balancer_subnet_ids : startswith(id, "subnet-")])
    error_message = "There are at least two subnets; an id begins with `subnet-`."
  }
}

variable "internal" {
  description = "Whether the balancer has private addresses only."
  type        = bool
  default     = true
}

variable "client_blocks" {
  description = "Addresses that may ask the server, as 10.0.0.0/16."
  type        = set(string)

  validation {
    condition     = length(var.client_blocks) >= 1 && alltrue([for block in var.client_blocks : can(cidrhost(block, 0))])
    error_message = "At least one block of addresses, as 10.0.0.0/16."
  }
  validation {
    condition     = var.users_secret_arn != null || !contains(var.client_blocks, "0.0.0.0/0")
    error_message = "Everybody may ask a server only that asks for a password: set `users_secret_arn`."
  }
}

variable "database" {
  description = "The database, as the outputs of the module `database` say, and the certificates of RDS for its region (PEM). The server signs in with tokens of IAM, so there is no password."
  type = object({
    host              = string
    port              = optional(number, 3306)
    name              = optional(string, "mlflow")
    user              = optional(string, "mlflow")
    resource_id       = string
    security_group_id = string
    ca                = string
  })

  validation {
    condition     = length(var.database.host) > 0 && var.database.port >= 1 && var.database.port <= 65535 && startswith(var.database.security_group_id, "sg-")
    error_message = "A database has a host, a port from 1 to 65535, and a security group, whose id begins with `sg-`."
  }
  validation {
    condition     = strcontains(var.database.ca, "BEGIN CERTIFICATE") && length(var.database.ca) <= 32768
    error_message = "`ca` is PEM of at most 32 kB: the bundle of the region, not the global one."
  }
}

variable "artifacts" {
  description = "The bucket, as output `bucket` of the module `artifacts`, and the folder in it."
  type        = object({ bucket = string, prefix = optional(string, "mlflow") })

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.artifacts.bucket)) && length(var.artifacts.prefix) > 0
    error_message = "A bucket has 3 to 63 lower-case letters, digits, `.` and `-`, and there is a folder."
  }
}
