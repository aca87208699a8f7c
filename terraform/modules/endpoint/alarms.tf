locals {
  alarms = {
    for name, alarm in {
      errors  = { metric = "Invocation5XXErrors", statistic = "Sum", percentile = null, threshold = var.alarms.errors }
      latency = { metric = "ModelLatency", statistic = null, percentile = "p99", threshold = try(var.alarms.p99_milliseconds * 1000, null) }
    } : name => alarm if alarm.threshold != null
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each            = local.alarms
  alarm_name          = "dockyard-${var.name}-${each.key}"
  alarm_description   = "Endpoint ${var.name}: ${each.value.metric} above ${each.value.threshold}"
  namespace           = "AWS/SageMaker"
  metric_name         = each.value.metric
  statistic           = each.value.statistic
  extended_statistic  = each.value.percentile
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  period              = 60
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarms.topic_arns
  dimensions          = { EndpointName = var.name, VariantName = local.variant }
  tags                = var.tags
}
