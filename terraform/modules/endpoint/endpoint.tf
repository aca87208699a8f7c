locals {
  blue_green = var.rollout.kind != "rolling"
  routing    = { all-at-once = "ALL_AT_ONCE", canary = "CANARY", linear = "LINEAR" }
  watched    = setunion(var.alarms.names, [for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_name], aws_cloudwatch_metric_alarm.share[*].alarm_name)
}

resource "aws_sagemaker_endpoint" "this" {
  name                 = var.name
  endpoint_config_name = aws_sagemaker_endpoint_configuration.this.name
  tags                 = var.tags

  deployment_config {
    auto_rollback_configuration {
      dynamic "alarms" {
        for_each = local.watched

        content {
          alarm_name = alarms.value
        }
      }
    }

    dynamic "blue_green_update_policy" {
      for_each = local.blue_green ? [var.rollout] : []

      content {
        maximum_execution_timeout_in_seconds = blue_green_update_policy.value.max_seconds
        termination_wait_in_seconds          = blue_green_update_policy.value.termination_wait_seconds

        traffic_routing_configuration {
          type                     = local.routing[blue_green_update_policy.value.kind]
          wait_interval_in_seconds = blue_green_update_policy.value.wait_seconds

          dynamic "canary_size" {
            for_each = blue_green_update_policy.value.kind == "canary" ? [blue_green_update_policy.value.step_percent] : []

            content {
              type  = "CAPACITY_PERCENT"
              value = canary_size.value
            }
          }
          dynamic "linear_step_size" {
            for_each = blue_green_update_policy.value.kind == "linear" ? [blue_green_update_policy.value.step_percent] : []

            content {
              type  = "CAPACITY_PERCENT"
              value = linear_step_size.value
            }
          }
        }
      }
    }

    dynamic "rolling_update_policy" {
      for_each = local.blue_green ? [] : [var.rollout]

      content {
        maximum_execution_timeout_in_seconds = rolling_update_policy.value.max_seconds
        wait_interval_in_seconds             = rolling_update_policy.value.wait_seconds

        maximum_batch_size {
          type  = "CAPACITY_PERCENT"
          value = rolling_update_policy.value.step_percent
        }
      }
    }
  }
}

resource "aws_appautoscaling_target" "this" {
  count              = var.scaling == null ? 0 : 1
  service_namespace  = "sagemaker"
  scalable_dimension = "sagemaker:variant:DesiredInstanceCount"
  resource_id        = "endpoint/${aws_sagemaker_endpoint.this.name}/variant/${local.variant}"
  min_capacity       = var.scaling.min
  max_capacity       = var.scaling.max
  tags               = var.tags
}

resource "aws_appautoscaling_policy" "this" {
  count              = try(var.scaling.requests_per_instance, null) == null ? 0 : 1
  name               = "${var.name}-requests"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this[count.index].service_namespace
  scalable_dimension = aws_appautoscaling_target.this[count.index].scalable_dimension
  resource_id        = aws_appautoscaling_target.this[count.index].resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = var.scaling.requests_per_instance
    scale_in_cooldown  = var.scaling.scale_in_cooldown
    scale_out_cooldown = var.scaling.scale_out_cooldown

    predefined_metric_specification {
      predefined_metric_type = "SageMakerVariantInvocationsPerInstance"
    }
  }
}

resource "aws_appautoscaling_scheduled_action" "this" {
  for_each           = try(var.scaling.schedule, {})
  name               = each.key
  schedule           = each.value.schedule
  service_namespace  = aws_appautoscaling_target.this[0].service_namespace
  scalable_dimension = aws_appautoscaling_target.this[0].scalable_dimension
  resource_id        = aws_appautoscaling_target.this[0].resource_id

  scalable_target_action {
    min_capacity = each.value.min
    max_capacity = each.value.max
  }
}
