output "key_arn" {
  description = "ARN of the key, which the other modules take."
  value       = aws_kms_key.this.arn
}

output "alias_name" {
  description = "The key's alias, `alias/…`."
  value       = aws_kms_alias.this.name
}
