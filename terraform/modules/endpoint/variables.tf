variable "name" {
  description = "Name of the endpoint."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$", var.name))
    error_message = "An endpoint's name has up to 63 letters, digits and `-`, and neither begins nor ends with `-`."
  }
}

variable "execution_role_arn" {
  description = "ARN of the role that the endpoint runs as, as output `execution_role_arn` of the module `sagemaker-role`."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:iam::\\d{12}:role/.+$", var.execution_role_arn))
    error_message = "This is the ARN of a role."
  }
}

variable "image" {
  description = "The serving image by its digest, as `dockyard build --push` prints it; null for an endpoint whose models are inference components, which `dockyard deploy` puts on it."
  type        = string
  default     = null

  validation {
    condition     = var.image == null || can(regex("^\\S{1,180}@sha256:[0-9a-f]{64}$", var.image))
    error_message = "An image is named by its digest, `repository@sha256:…`: a tag may mean another image tomorrow."
  }
}

variable "model_data_url" {
  description = "S3 URI of the model's archive, where the model is not in its image."
  type        = string
  default     = null

  validation {
    condition     = var.model_data_url == null || can(regex("^s3://[a-z0-9.-]+/.+\\.tar\\.gz$", var.model_data_url))
    error_message = "This is an S3 URI that ends in `.tar.gz`."
  }
}

variable "environment" {
  description = "Environment variables of the model. Everybody who may describe the model sees them: no secrets."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for key, value in var.environment : can(regex("^[a-zA-Z_][a-zA-Z0-9_]*$", key)) && max(length(key), length(value)) <= 1024])
    error_message = "A variable's name has letters, digits and `_`; name and value have up to 1024 characters."
  }
}

variable "instances" {
  description = "The instances of the endpoint. Not together with `serverless`."
  type = object({
    type                     = optional(string, "ml.m5.large")
    count                    = optional(number, 2)
    startup_timeout_seconds  = optional(number)
    download_timeout_seconds = optional(number)
    volume_gb                = optional(number)
  })
  default = {}

  validation {
    condition     = startswith(var.instances.type, "ml.") && var.instances.count >= 1
    error_message = "An instance's type begins with `ml.`, and there is at least one."
  }
  validation {
    condition     = alltrue([for seconds in [var.instances.startup_timeout_seconds, var.instances.download_timeout_seconds] : seconds == null ? true : seconds >= 60 && seconds <= 3600])
    error_message = "A timeout has 60 to 3600 seconds."
  }
  validation {
    condition     = var.instances.volume_gb == null ? true : var.instances.volume_gb >= 1 && var.instances.volume_gb <= 512
    error_message = "A volume has 1 to 512 GB."
  }
}

variable "serverless" {
  description = "Run without instances: memory, and how many requests at a time; of these `provisioned` are kept warm."
  type = object({
    memory_mb       = optional(number, 2048)
    max_concurrency = optional(number, 5)
    provisioned     = optional(number)
  })
  default = null

  validation {
    condition     = var.serverless == null ? true : contains([1024, 2048, 3072, 4096, 5120, 6144], var.serverless.memory_mb) && var.serverless.max_concurrency >= 1 && var.serverless.max_concurrency <= 200
    error_message = "Memory is 1024 to 6144 in steps of 1024, and concurrency 1 to 200."
  }
  validation {
    condition     = var.serverless == null || (var.image != null && var.vpc == null && !var.network_isolation && alltrue([for one in [var.capture, var.asynchronous, var.shadow, var.scaling] : one == null]))
    error_message = "What runs without instances has no components, VPC, network isolation, capture, queue, shadow, or instances to scale."
  }
}

variable "vpc" {
  description = "Subnets and security groups of the model's network interfaces."
  type        = object({ subnet_ids = set(string), security_group_ids = set(string) })
  default     = null

  validation {
    condition     = var.vpc == null ? true : length(var.vpc.subnet_ids) >= 1 && length(var.vpc.subnet_ids) <= 16 && length(var.vpc.security_group_ids) >= 1 && length(var.vpc.security_group_ids) <= 5
    error_message = "There are 1 to 16 subnets and 1 to 5 security groups."
  }
}

variable "network_isolation" {
  description = "Whether the model's container has no network at all."
  type        = bool
  default     = false
}

variable "kms_key_arn" {
  description = "ARN of the key that volumes, captured data and answers are encrypted with."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:\\d{12}:key/.+$", var.kms_key_arn))
    error_message = "This is the ARN of a KMS key (not of an alias), as output `key_arn` of the module `kms`."
  }
}

variable "capture" {
  description = "Where requests (`input`) and answers (`output`) are captured, and of how many."
  type        = object({ uri = string, percent = optional(number, 100), input = optional(bool, true), output = optional(bool, true) })
  default     = null

  validation {
    condition     = var.capture == null ? true : startswith(var.capture.uri, "s3://") && var.capture.percent >= 1 && var.capture.percent <= 100
    error_message = "The destination is an S3 URI, and the share 1 to 100 percent."
  }
  validation {
    condition     = var.capture == null ? true : var.capture.input || var.capture.output
    error_message = "Requests or answers are captured, or both."
  }
}

variable "asynchronous" {
  description = "Answer from a queue: where answers and failures go, which topics are told, how many requests at a time."
  type = object({
    output_uri    = string
    failure_uri   = optional(string)
    success_topic = optional(string)
    error_topic   = optional(string)
    concurrency   = optional(number)
  })
  default = null

  validation {
    condition     = var.asynchronous == null ? true : startswith(var.asynchronous.output_uri, "s3://") && startswith(coalesce(var.asynchronous.failure_uri, "s3://"), "s3://")
    error_message = "Answers and failures go to S3 URIs."
  }
  validation {
    condition     = var.asynchronous == null || var.shadow == null
    error_message = "An asynchronous endpoint has no shadow."
  }
}

variable "shadow" {
  description = "An image, by its digest, that gets copies of requests and whose answers nobody sees: as many as `percent` of them."
  type        = object({ image = string, percent = optional(number, 100) })
  default     = null

  validation {
    condition     = var.shadow == null ? true : can(regex("^\\S{1,180}@sha256:[0-9a-f]{64}$", var.shadow.image)) && var.shadow.percent >= 1 && var.shadow.percent <= 100
    error_message = "A shadow's image is named by its digest, and its share is 1 to 100 percent."
  }
}

variable "tags" {
  description = "Tags of everything that is made."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for key in keys(var.tags) : !startswith(lower(key), "aws:")])
    error_message = "Tags that begin with `aws:` are AWS's own."
  }
}
