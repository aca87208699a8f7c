output "topic_arn" {
  description = "ARN of the topic, for `alarms.topic_arns` of the module `endpoint`."
  value       = aws_sns_topic.this.arn
}

output "alarm_names" {
  description = "Names of the alarms."
  value       = [for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_name]
}

output "dashboard_name" {
  description = "Name of the dashboard; null where nothing is watched."
  value       = one(aws_cloudwatch_dashboard.this[*].dashboard_name)
}
