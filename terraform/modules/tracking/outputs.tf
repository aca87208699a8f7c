output "values" {
  description = "Values for the chart `helm/tracking`: `terraform output -raw values >values.yaml`."
  value       = yamlencode(local.values)
}

output "dockyard" {
  description = "A `dockyard.yaml` that names the server and the environments: `terraform output -raw dockyard >dockyard.yaml`."
  value       = yamlencode(local.dockyard)
}

output "service_accounts" {
  description = "Service accounts that need the role for bucket and database, as `namespace/name`: the server's, the migration's, and with `backup` the backup's."
  value       = [for account in local.accounts : "${var.namespace}/${account}"]
}

output "url" {
  description = "Where MLflow's clients find the server."
  value       = local.url
}
