output "migrate_command" {
  description = "Brings the database's schema to the image's: `eval \"$(terraform output -raw migrate_command)\"`."
  value       = module.tracking.migrate_command
}

output "balancer" {
  description = "Where the record of `host` has to lead."
  value       = module.tracking.balancer
}

output "dockyard" {
  description = "A `dockyard.yaml` that names the server: `terraform output -raw dockyard >dockyard.yaml`."
  value       = module.tracking.dockyard
}

output "master_secret_arn" {
  description = "Where RDS keeps the password of the master user, who makes the server's user once."
  value       = module.database.master_secret_arn
}
