locals {
  alarms = {
    for name, alarm in {
      errors  = { metric = "Invocation5XXErrors", statistic = "Sum", percentile = null, threshold = var.alarms.error_percent == null && var.alarms.errors > 0 ? var.alarms.errors : null }
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
  period              = var.alarms.period_seconds
  evaluation_periods  = var.alarms.periods
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarms.topic_arns
  dimensions          = { EndpointName = var.name, VariantName = local.variant }
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "share" {
  count               = var.alarms.error_percent == null ? 0 : 1
  alarm_name          = "dockyard-${var.name}-errors"
  alarm_description   = "Endpoint ${var.name}: more than ${var.alarms.error_percent} percent of answers have a 5xx status"
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.alarms.error_percent
  evaluation_periods  = var.alarms.periods
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarms.topic_arns
  tags                = var.tags

  metric_query {
    id          = "percent"
    expression  = "100 * errors / IF(calls > 0, calls, 1)"
    label       = "5xx %"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { errors = "Invocation5XXErrors", calls = "Invocations" }

    content {
      id          = metric_query.key
      return_data = false

      metric {
        namespace   = "AWS/SageMaker"
        metric_name = metric_query.value
        stat        = "Sum"
        period      = var.alarms.period_seconds
        dimensions  = { EndpointName = var.name, VariantName = local.variant }
      }
    }
  }
}
