locals {
  variant = "AllTraffic"
  above   = "GreaterThanThreshold"
  below   = "LessThanThreshold"

  # Of an endpoint's machines: how it answers is watched by the module `endpoint`, which brings a rollout back by that.
  endpoint_alarms = merge([
    for name in var.endpoints : {
      for metric in ["CPUUtilization", "DiskUtilization", "MemoryUtilization"] : "endpoint-${name}-${metric}" => {
        namespace  = "/aws/sagemaker/Endpoints"
        metric     = metric
        operator   = local.above
        threshold  = 90
        dimensions = { EndpointName = name, VariantName = local.variant }
      }
    }
  ]...)

  # Aurora's storage grows by itself.
  dimensions = try({ (var.database.aurora ? "DBClusterIdentifier" : "DBInstanceIdentifier") = var.database.identifier }, {})
  database_alarms = var.database == null ? {} : {
    for name, one in {
      database-CPUUtilization      = { operator = local.above, threshold = 80, wanted = true }
      database-DatabaseConnections = { operator = local.above, threshold = var.database.max_connections, wanted = true }
      database-FreeableMemory      = { operator = local.below, threshold = 256 * 1024 * 1024, wanted = true }
      database-FreeStorageSpace    = { operator = local.below, threshold = var.database.min_free_gib * 1024 * 1024 * 1024, wanted = !var.database.aurora }
      } : name => {
      namespace  = "AWS/RDS"
      metric     = trimprefix(name, "database-")
      operator   = one.operator
      threshold  = one.threshold
      dimensions = local.dimensions
    } if one.wanted
  }
  alarms = merge(local.endpoint_alarms, local.database_alarms)

  # A row each: requests and errors, latency, machines; and the database's.
  charts = concat(
    [for name in sort(var.endpoints) : {
      title   = "Endpoint ${name}: requests and errors"
      metrics = [for metric in ["Invocations", "Invocation4XXErrors", "Invocation5XXErrors"] : ["AWS/SageMaker", metric, "EndpointName", name, "VariantName", local.variant, { stat = "Sum" }]]
    }],
    [for name in sort(var.endpoints) : {
      title   = "Endpoint ${name}: latency, microseconds"
      metrics = [for metric in ["ModelLatency", "OverheadLatency"] : ["AWS/SageMaker", metric, "EndpointName", name, "VariantName", local.variant, { stat = "p99" }]]
    }],
    [for dimension, identifier in local.dimensions : {
      title   = "Database ${identifier}"
      metrics = [for metric in ["CPUUtilization", "DatabaseConnections"] : ["AWS/RDS", metric, dimension, identifier, { stat = "Average" }]]
    }],
  )
  widgets = [
    for index, chart in local.charts : {
      type       = "metric"
      x          = 12 * (index % 2)
      y          = 6 * floor(index / 2)
      width      = 12
      height     = 6
      properties = { title = chart.title, region = local.region, period = 60, view = "timeSeries", metrics = chart.metrics }
    }
  ]
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each            = local.alarms
  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "${each.key}: ${each.value.operator} ${each.value.threshold} for 15 minutes"
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  statistic           = "Average"
  comparison_operator = each.value.operator
  threshold           = each.value.threshold
  period              = 300
  evaluation_periods  = 3
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]
  dimensions          = each.value.dimensions
  tags                = var.tags
}

resource "aws_cloudwatch_dashboard" "this" {
  count          = length(local.charts) == 0 ? 0 : 1
  dashboard_name = var.name
  dashboard_body = jsonencode({ widgets = local.widgets })
}
