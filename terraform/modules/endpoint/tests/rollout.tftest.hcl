mock_provider "aws" {}

variables {
  name               = "prod-wine"
  execution_role_arn = "arn:aws:iam::111122223333:role/prod-wine"
  image              = "wine@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
}

run "canary_goes_first" {
  variables {
    rollout = { kind = "canary", step_percent = 20, wait_seconds = 60, termination_wait_seconds = 0, max_seconds = 1200 }
  }
  assert {
    condition     = one(one(one(one(aws_sagemaker_endpoint.this.deployment_config).blue_green_update_policy).traffic_routing_configuration).canary_size).value == 20
    error_message = "A fifth of the capacity goes first."
  }
  assert {
    condition     = one(one(one(aws_sagemaker_endpoint.this.deployment_config).blue_green_update_policy).traffic_routing_configuration).wait_interval_in_seconds == 60 && one(one(aws_sagemaker_endpoint.this.deployment_config).blue_green_update_policy).maximum_execution_timeout_in_seconds == 1200
    error_message = "Alarms are watched for a minute."
  }
}

run "linear_goes_in_steps" {
  variables {
    rollout = { kind = "linear", step_percent = 25 }
  }
  assert {
    condition     = one(one(one(one(aws_sagemaker_endpoint.this.deployment_config).blue_green_update_policy).traffic_routing_configuration).linear_step_size).value == 25
    error_message = "A quarter at a time."
  }
}

run "rolling_replaces_instances_in_place" {
  variables {
    rollout = { kind = "rolling", step_percent = 5 }
  }
  assert {
    condition     = length(one(aws_sagemaker_endpoint.this.deployment_config).blue_green_update_policy) == 0 && one(one(one(aws_sagemaker_endpoint.this.deployment_config).rolling_update_policy).maximum_batch_size).value == 5
    error_message = "There is no second fleet."
  }
}

run "latency_and_alarms_of_others_bring_the_old_revision_back" {
  variables {
    alarms = { errors = 10, p99_milliseconds = 250, names = ["business"], topic_arns = ["arn:aws:sns:eu-west-1:111122223333:pager"] }
  }
  assert {
    condition     = output.alarm_names == toset(["business", "dockyard-prod-wine-errors", "dockyard-prod-wine-latency"])
    error_message = "All three are watched."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["latency"].threshold == 250000 && aws_cloudwatch_metric_alarm.this["latency"].extended_statistic == "p99" && aws_cloudwatch_metric_alarm.this["errors"].threshold == 10
    error_message = "SageMaker measures microseconds."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["errors"].alarm_actions == toset(["arn:aws:sns:eu-west-1:111122223333:pager"]) && aws_cloudwatch_metric_alarm.this["errors"].dimensions == tomap({ EndpointName = "prod-wine", VariantName = "AllTraffic" })
    error_message = "The pager is told about this variant."
  }
}

run "share_of_errors_counts_instead_of_their_number" {
  variables {
    alarms = { error_percent = 0.5, period_seconds = 30, periods = 3 }
  }
  assert {
    condition     = length(aws_cloudwatch_metric_alarm.this) == 0 && aws_cloudwatch_metric_alarm.share[0].threshold == 0.5 && aws_cloudwatch_metric_alarm.share[0].evaluation_periods == 3 && output.alarm_names == toset(["dockyard-prod-wine-errors"])
    error_message = "One alarm, on half a percent, three times in a row."
  }
  assert {
    condition     = toset([for query in aws_cloudwatch_metric_alarm.share[0].metric_query : query.id if query.return_data == false]) == toset(["errors", "calls"])
    error_message = "It is made of errors and calls."
  }
}

run "without_alarms_nothing_comes_back_by_itself" {
  variables {
    alarms = { errors = 0 }
  }
  assert {
    condition     = length(output.alarm_names) == 0 && length(aws_cloudwatch_metric_alarm.share) == 0
    error_message = "There is no alarm."
  }
}

run "instances_follow_requests" {
  variables {
    scaling = { min = 1, max = 4, requests_per_instance = 600 }
  }
  assert {
    condition     = aws_appautoscaling_target.this[0].resource_id == "endpoint/prod-wine/variant/AllTraffic" && aws_appautoscaling_target.this[0].max_capacity == 4
    error_message = "The variant is scaled."
  }
  assert {
    condition     = one(aws_appautoscaling_policy.this[0].target_tracking_scaling_policy_configuration).target_value == 600
    error_message = "Each instance gets 600 requests a minute."
  }
}
