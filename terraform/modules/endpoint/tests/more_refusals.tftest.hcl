mock_provider "aws" {}

variables {
  name               = "prod-wine"
  execution_role_arn = "arn:aws:iam::111122223333:role/prod-wine"
  image              = "wine@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
}

run "queue_with_a_shadow" {
  command = plan
  variables {
    asynchronous = { output_uri = "s3://answers" }
    shadow       = { image = "wine@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb" }
  }
  expect_failures = [var.asynchronous]
}

run "shadow_by_its_tag" {
  command = plan
  variables {
    shadow = { image = "wine:3" }
  }
  expect_failures = [var.shadow]
}

run "rollout_that_is_none" {
  command = plan
  variables {
    rollout = { kind = "big-bang" }
  }
  expect_failures = [var.rollout]
}

run "canary_of_most" {
  command = plan
  variables {
    rollout = { kind = "canary", step_percent = 60 }
  }
  expect_failures = [var.rollout]
}

run "linear_in_small_steps" {
  command = plan
  variables {
    rollout = { kind = "linear", step_percent = 5 }
  }
  expect_failures = [var.rollout]
}

run "wait_of_hours" {
  command = plan
  variables {
    rollout = { wait_seconds = 7200 }
  }
  expect_failures = [var.rollout]
}

run "alarm_on_nothing" {
  command = plan
  variables {
    alarms = { error_percent = 0 }
  }
  expect_failures = [var.alarms]
}

run "alarm_after_no_time" {
  command = plan
  variables {
    alarms = { period_seconds = 45 }
  }
  expect_failures = [var.alarms]
}

run "scaling_to_none" {
  command = plan
  variables {
    scaling = { min = 0, max = 1, requests_per_instance = 1 }
  }
  expect_failures = [var.scaling]
}

run "scaling_upside_down" {
  command = plan
  variables {
    scaling = { min = 3, max = 1, requests_per_instance = 1 }
  }
  expect_failures = [var.scaling]
}

run "scaling_by_nothing" {
  command = plan
  variables {
    scaling = { min = 1, max = 3 }
  }
  expect_failures = [var.scaling]
}

run "schedule_of_another_cron" {
  command = plan
  variables {
    scaling = { min = 1, max = 3, schedule = { night = { schedule = "0 22 * * *", min = 1, max = 1 } } }
  }
  expect_failures = [var.scaling]
}

run "volume_of_a_terabyte" {
  command = plan
  variables {
    instances = { volume_gb = 1024 }
  }
  expect_failures = [var.instances]
}

run "tags_of_aws" {
  command = plan
  variables {
    tags = { "aws:x" = "y" }
  }
  expect_failures = [var.tags]
}
