variable "name" {
  description = "What everything is called."
  type        = string
  default     = "mlflow"

  validation {
    condition     = can(regex("^[a-z](-?[a-z0-9]){0,24}$", var.name))
    error_message = "A name has up to 25 lower-case letters, digits and single `-`, and begins with a letter."
  }
}

variable "zones" {
  description = "Availability zones of the region: two to four."
  type        = list(string)
}

variable "kubernetes_version" {
  description = "Version of Kubernetes, as 1.34; null: EKS' newest."
  type        = string
  default     = null
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete the cluster; the database has a protection of its own."
  type        = bool
  default     = true
}

variable "namespace" {
  description = "Where the tracking server is installed."
  type        = string
  default     = "mlflow"
}

variable "bucket" {
  description = "Name of the bucket that is made for artifacts and backups."
  type        = string
}

variable "image" {
  description = "Image of the tracking server by its digest."
  type        = string
}

variable "ingress" {
  description = "Host name of the server, class and namespace of the ingress controller, and the Secret with the certificate. Null: clients are in the cluster."
  type        = object({ host = string, class_name = string, controller_namespace = string, tls_secret = string })
  default     = null
}

variable "users_secret" {
  description = "Name of a Secret in the cluster with `admin-password` and `session-key`, for MLflow's users; null: everybody who reaches the server may do everything."
  type        = string
  default     = null
}

variable "emails" {
  description = "Addresses that are told of alarms and of what it costs."
  type        = set(string)
}

variable "monthly_budget" {
  description = "US dollars that the account may cost in a month before somebody is told."
  type        = number
  default     = 1000
}
