variable "name" {
  description = "What everything is called."
  type        = string
  default     = "mlflow"

  validation {
    condition     = can(regex("^[a-z](-?[a-z0-9]){0,24}$", var.name))
    error_message = "A name has up to 25 lower-case letters, digits and single `-`, and begins with a letter."
  }
}

variable "cluster_name" {
  description = "The EKS cluster, with the agent of Pod Identity (add-on `eks-pod-identity-agent`)."
  type        = string
}

variable "node_security_group_id" {
  description = "Security group of the cluster's nodes."
  type        = string
}

variable "vpc_id" {
  description = "The cluster's VPC."
  type        = string
}

variable "database_subnets" {
  description = "Addresses of the private subnets that the database is in, by the subnet's id: at least two zones."
  type        = map(string)
}

variable "namespace" {
  description = "Where the tracking server is installed."
  type        = string
  default     = "mlflow"
}

variable "bucket" {
  description = "Name of the bucket that is made for artifacts."
  type        = string
}

variable "image" {
  description = "Image of the tracking server by its digest."
  type        = string
}
