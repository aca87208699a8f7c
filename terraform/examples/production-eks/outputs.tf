output "values" {
  description = "Values for the chart `helm/tracking`: `terraform output -raw values >values.yaml`."
  value       = module.tracking.values
}

output "dockyard" {
  description = "A `dockyard.yaml` that names the server, the repository and an environment: `terraform output -raw dockyard >dockyard.yaml`."
  value       = module.tracking.dockyard
}

output "cluster_name" {
  description = "Name of the cluster: `aws eks update-kubeconfig --name`."
  value       = aws_eks_cluster.this.name
}

output "role_arns" {
  description = "Roles of the service accounts."
  value       = { for account, one in module.identity : account => one.tracking_role_arn }
}

output "master_secret_arn" {
  description = "Where RDS keeps the password of the master user, who makes the server's user once."
  value       = module.database.master_secret_arn
}
