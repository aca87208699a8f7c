output "bucket" {
  description = "Name of the bucket."
  value       = aws_s3_bucket.this.id
}

output "bucket_arn" {
  description = "ARN of the bucket, for policies."
  value       = aws_s3_bucket.this.arn
}

output "uri" {
  description = "`s3://` and the bucket's name, for MLflow's artifact store and `bucket` in `dockyard.yaml`."
  value       = "s3://${aws_s3_bucket.this.id}"
}
