variable "name" {
  description = "What the VPC is called; what belongs to it begins with this."
  type        = string

  validation {
    condition     = can(regex("^[a-z](-?[a-z0-9]){0,49}$", var.name))
    error_message = "A name has up to 50 lower-case letters, digits and single `-`, and begins with a letter."
  }
}

variable "cidr" {
  description = "Private addresses of the VPC. Another block makes another VPC."
  type        = string
  default     = "10.0.0.0/16"

  validation {
    condition     = can(regex("^(10|172\\.(1[6-9]|2\\d|3[01])|192\\.168)\\.", var.cidr)) && try(cidrhost(var.cidr, 0) == split("/", var.cidr)[0], false)
    error_message = "A block of private addresses begins with its first one, as `10.0.0.0/16`."
  }
  validation {
    condition     = try(tonumber(split("/", var.cidr)[1]) >= 16 && tonumber(split("/", var.cidr)[1]) <= 22, false)
    error_message = "A VPC has at most a /16; below a /22 a public subnet would have no room."
  }
}

variable "zones" {
  description = "Names of the availability zones that there are subnets in. A further one is written at the end; by their order they have addresses."
  type        = list(string)

  validation {
    condition     = length(var.zones) >= 2 && length(var.zones) <= 4 && length(distinct(var.zones)) == length(var.zones)
    error_message = "2 to 4 zones: RDS and EKS want two, and the block is divided for four."
  }
  validation {
    condition     = alltrue([for zone in var.zones : can(regex("^[a-z]{2}(-[a-z]+)+-\\d[a-z]$", zone))])
    error_message = "A zone is named as `eu-west-1a`."
  }
}

variable "public_subnets" {
  description = "Whether there are public subnets, for load balancers and NAT."
  type        = bool
  default     = true
}

variable "nat" {
  description = "Gateways that let private subnets reach the internet: `none`, `one` for all zones, or one in `each`."
  type        = string
  default     = "none"

  validation {
    condition     = contains(["none", "one", "each"], var.nat)
    error_message = "It is `none`, `one` or `each`."
  }
  validation {
    condition     = var.nat == "none" || var.public_subnets
    error_message = "A NAT gateway is in a public subnet."
  }
}

variable "interface_endpoints" {
  description = "Services that are reached without leaving AWS' network, besides S3."
  type        = set(string)
  default     = ["ecr.api", "ecr.dkr", "logs", "sagemaker.api", "sagemaker.runtime", "secretsmanager", "sts"]

  validation {
    condition     = alltrue([for service in var.interface_endpoints : can(regex("^[a-z0-9-]+(\\.[a-z0-9-]+)*$", service)) && service != "s3"])
    error_message = "A service is named as in `com.amazonaws.<region>.<service>`; S3 has its own, which is free."
  }
}

variable "readable_buckets" {
  description = "Buckets of others that may be read without credentials of this account, as those of a Linux distribution's packages."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for bucket in var.readable_buckets : can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", bucket))])
    error_message = "A bucket's name has 3 to 63 lower-case letters, digits, `.` and `-`."
  }
}

variable "private_subnet_tags" {
  description = "Further tags of private subnets, as `kubernetes.io/role/internal-elb`."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for key in keys(var.private_subnet_tags) : !startswith(lower(key), "aws:")])
    error_message = "Tags that begin with `aws:` are AWS's own."
  }
}

variable "public_subnet_tags" {
  description = "Further tags of public subnets, as `kubernetes.io/role/elb`."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for key in keys(var.public_subnet_tags) : !startswith(lower(key), "aws:")])
    error_message = "Tags that begin with `aws:` are AWS's own."
  }
}

variable "flow_log_days" {
  description = "How long it is kept what was connected to what."
  type        = number
  default     = 365

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.flow_log_days)
    error_message = "CloudWatch keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365 and some longer numbers of days."
  }
}

variable "kms_key_arn" {
  description = "ARN of the key that flow logs are encrypted with."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:\\d{12}:key/.+$", var.kms_key_arn))
    error_message = "This is the ARN of a KMS key (not of an alias), as output `key_arn` of the module `kms`."
  }
}

variable "permissions_boundary" {
  description = "ARN of the policy that bounds the role for flow logs."
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
