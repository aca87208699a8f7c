output "repository_urls" {
  description = "Where to push to and pull from, by the repository's name."
  value       = { for name, repository in aws_ecr_repository.this : name => repository.repository_url }
}

output "repository_arns" {
  description = "ARNs for policies, by the repository's name."
  value       = { for name, repository in aws_ecr_repository.this : name => repository.arn }
}
