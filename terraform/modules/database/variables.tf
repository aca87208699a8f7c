variable "name" {
  description = "What the instance or cluster is called; what belongs to it begins with this."
  type        = string

  validation {
    condition     = can(regex("^[a-z](-?[a-z0-9]){0,49}$", var.name))
    error_message = "A name has up to 50 lower-case letters, digits and single `-`, and begins with a letter."
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

variable "subnet_ids" {
  description = "Private subnets in at least two zones."
  type        = set(string)

  validation {
    condition     = length(var.subnet_ids) >= 2 && alltrue([for id in var.subnet_ids : startswith(id, "subnet-")])
    error_message = "RDS wants at least two subnets; an id begins with `subnet-`."
  }
}

variable "client_security_group_ids" {
  description = "Security groups whose members may connect, by a name for each: the tracking server's, for one."
  type        = map(string)

  validation {
    condition     = alltrue([for id in values(var.client_security_group_ids) : startswith(id, "sg-")])
    error_message = "A security group's id begins with `sg-`."
  }
}

variable "kms_key_arn" {
  description = "ARN of the key for storage, snapshots, the master password, logs and insights."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:\\d{12}:key/.+$", var.kms_key_arn))
    error_message = "This is the ARN of a KMS key (not of an alias), as output `key_arn` of the module `kms`."
  }
}

variable "engine_version" {
  description = "Version of MySQL, `8.4` if nothing is said, or of Aurora MySQL, `8.0`; with two numbers the newest of these."
  type        = string
  default     = null

  validation {
    condition     = var.engine_version == null || can(regex("^8\\.[04](\\..+)?$", var.engine_version))
    error_message = "A version is of the series 8.0 or 8.4."
  }
}

variable "instance" {
  description = "The instance of RDS: its class, whether a standby in another zone takes over, storage to begin with and at most, in GiB."
  type = object({
    class           = optional(string, "db.t4g.medium")
    standby         = optional(bool, true)
    storage_gib     = optional(number, 20)
    max_storage_gib = optional(number, 200)
  })
  default = {}

  validation {
    condition     = startswith(var.instance.class, "db.")
    error_message = "A class begins with `db.`."
  }
  validation {
    condition     = var.instance.storage_gib >= 20 && var.instance.max_storage_gib > var.instance.storage_gib
    error_message = "Storage is at least 20 GiB, and can grow."
  }
}

variable "aurora" {
  description = "Aurora MySQL Serverless instead of an instance: how many servers (one writes), between how much capacity."
  type = object({
    instances    = optional(number, 2)
    min_capacity = optional(number, 1)
    max_capacity = optional(number, 8)
  })
  default = null

  validation {
    condition     = try(var.aurora.instances >= 1 && var.aurora.instances <= 15 && floor(var.aurora.instances) == var.aurora.instances, var.aurora == null)
    error_message = "A cluster has 1 to 15 servers here."
  }
  validation {
    condition     = try(var.aurora.min_capacity >= 0.5 && var.aurora.min_capacity <= var.aurora.max_capacity && var.aurora.max_capacity <= 256, var.aurora == null)
    error_message = "Capacity is between 0.5 and 256, and at least as much at most as at least."
  }
}

variable "database_name" {
  description = "Name of the database that is made."
  type        = string
  default     = "mlflow"

  validation {
    condition     = can(regex("^[a-z][a-z0-9_]{0,62}$", var.database_name))
    error_message = "A database's name has up to 63 lower-case letters, digits and `_`, and begins with a letter."
  }
}

variable "master_username" {
  description = "Name of the master user; RDS makes its password, keeps it in Secrets Manager and changes it every week."
  type        = string
  default     = "dockyard"

  validation {
    condition     = can(regex("^[a-z][a-z0-9_]{0,31}$", var.master_username)) && !contains(["admin", "rdsadmin", "root"], var.master_username)
    error_message = "A name has up to 32 lower-case letters, digits and `_`, begins with a letter, and is none that everybody tries first."
  }
}

variable "parameters" {
  description = "Further parameters of the server, by name. They are in force from its next start."
  type        = map(string)
  default     = {}

  validation {
    condition = length(setintersection(keys(var.parameters), [
      "log_bin_trust_function_creators", "require_secure_transport", "tls_version", "character_set_server", "log_output", "slow_query_log",
      "server_audit_logging", "server_audit_events"
    ])) == 0
    error_message = "TLS, triggers, utf8mb4 and logs are set by the module."
  }
}
