mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { region = "eu-west-1" }
  }
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:eu-west-1:111122223333:team" }
  }
}

variables {
  name        = "team"
  kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/1234"
}

run "only_this_accounts_alarms_and_budgets_tell_the_topic" {
  assert {
    condition = { for one in jsondecode(aws_sns_topic_policy.this.policy).Statement : one.Principal.Service => "${one.Action} ${one.Resource} ${one.Condition.ArnLike["aws:SourceArn"]}" } == {
      "cloudwatch.amazonaws.com" = "sns:Publish arn:aws:sns:eu-west-1:111122223333:team arn:aws:cloudwatch:eu-west-1:111122223333:alarm:*"
      "budgets.amazonaws.com"    = "sns:Publish arn:aws:sns:eu-west-1:111122223333:team arn:aws:budgets::111122223333:*"
    }
    error_message = "Each service tells this topic, for this account's alarms or budgets."
  }
  assert {
    condition     = alltrue([for one in jsondecode(aws_sns_topic_policy.this.policy).Statement : one.Condition.StringEquals == { "aws:SourceAccount" = "111122223333" }])
    error_message = "No service acts for another account."
  }
  assert {
    condition     = aws_sns_topic.this.kms_master_key_id == var.kms_key_arn && output.topic_arn == "arn:aws:sns:eu-west-1:111122223333:team"
    error_message = "Messages are encrypted with the key."
  }
}

run "nothing_is_watched_that_is_not_named" {
  assert {
    condition     = length(aws_cloudwatch_metric_alarm.this) + length(aws_cloudwatch_dashboard.this) + length(aws_budgets_budget.this) + length(aws_sns_topic_subscription.this) == 0
    error_message = "There is the topic only."
  }
  assert {
    condition     = length(output.alarm_names) == 0 && output.dashboard_name == null
    error_message = "Outputs are empty."
  }
}

run "an_endpoints_machines_are_watched" {
  variables {
    endpoints = ["wine"]
    tags      = { team = "wine" }
  }
  assert {
    condition     = output.alarm_names == ["team-endpoint-wine-CPUUtilization", "team-endpoint-wine-DiskUtilization", "team-endpoint-wine-MemoryUtilization"]
    error_message = "Processor, disk and memory have alarms."
  }
  assert {
    condition = alltrue([
      for one in aws_cloudwatch_metric_alarm.this : one.namespace == "/aws/sagemaker/Endpoints" && one.threshold == 90 && one.alarm_actions == toset([output.topic_arn]) && one.ok_actions == toset([output.topic_arn]) &&
      one.dimensions == tomap({ EndpointName = "wine", VariantName = "AllTraffic" }) && one.tags == tomap({ team = "wine" })
    ])
    error_message = "Alarms are about the endpoint's variant, and tell the topic when they begin and end."
  }
  assert {
    condition     = output.dashboard_name == "team" && [for one in jsondecode(aws_cloudwatch_dashboard.this[0].dashboard_body).widgets : one.properties.title] == ["Endpoint wine: requests and errors", "Endpoint wine: latency, microseconds"]
    error_message = "The dashboard has the endpoint."
  }
}

run "an_instances_storage_is_watched" {
  variables {
    database = { identifier = "team-mlflow" }
  }
  assert {
    condition = { for one in aws_cloudwatch_metric_alarm.this : one.metric_name => "${one.comparison_operator} ${one.threshold}" } == {
      CPUUtilization      = "GreaterThanThreshold 80"
      DatabaseConnections = "GreaterThanThreshold 200"
      FreeableMemory      = "LessThanThreshold 268435456"
      FreeStorageSpace    = "LessThanThreshold 5368709120"
    }
    error_message = "Processor, connections, memory and storage have alarms."
  }
  assert {
    condition     = alltrue([for one in aws_cloudwatch_metric_alarm.this : one.namespace == "AWS/RDS" && one.dimensions == tomap({ DBInstanceIdentifier = "team-mlflow" })])
    error_message = "Alarms are about the instance."
  }
}

run "a_clusters_storage_grows_by_itself" {
  variables {
    database  = { identifier = "team-mlflow", aurora = true, max_connections = 50, min_free_gib = 1 }
    endpoints = ["wine", "beer"]
  }
  assert {
    condition     = { for one in aws_cloudwatch_metric_alarm.this : one.metric_name => one.threshold if one.dimensions == tomap({ DBClusterIdentifier = "team-mlflow" }) } == { CPUUtilization = 80, DatabaseConnections = 50, FreeableMemory = 268435456 }
    error_message = "Alarms are about the cluster."
  }
  assert {
    condition     = [for one in jsondecode(aws_cloudwatch_dashboard.this[0].dashboard_body).widgets : "${one.x} ${one.y}"] == ["0 0", "12 0", "0 6", "12 6", "0 12"]
    error_message = "No chart is upon another."
  }
}

run "a_budget_is_told_before_it_is_spent" {
  variables {
    monthly_budget = 500
    emails         = ["team@example.com"]
  }
  assert {
    condition     = aws_budgets_budget.this[0].limit_amount == "500" && aws_budgets_budget.this[0].time_unit == "MONTHLY" && tomap({ for one in aws_budgets_budget.this[0].notification : one.notification_type => one.threshold }) == tomap({ ACTUAL = 80, FORECASTED = 100 })
    error_message = "It is told at 80 percent, and when all of it will be spent."
  }
  assert {
    condition     = alltrue([for one in aws_budgets_budget.this[0].notification : one.subscriber_sns_topic_arns == toset([output.topic_arn])])
    error_message = "The topic is told."
  }
  assert {
    condition     = aws_sns_topic_subscription.this["team@example.com"].protocol == "email" && aws_sns_topic_subscription.this["team@example.com"].topic_arn == output.topic_arn
    error_message = "People are told by the topic."
  }
}
