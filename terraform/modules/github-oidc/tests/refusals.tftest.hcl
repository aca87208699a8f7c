mock_provider "aws" {
  mock_resource "aws_iam_openid_connect_provider" {
    defaults = { arn = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/deploy" }
  }
}

variables {
  roles = { deploy = { repository = "team/wine", branches = ["main"], policy = "{\"Statement\": [{}]}" } }
}

run "name_with_a_slash" {
  command = plan
  variables {
    roles = { "ci/deploy" = { repository = "team/wine", branches = ["main"], policy = "{\"Statement\": [{}]}" } }
  }
  expect_failures = [var.roles]
}

run "every_repository" {
  command = plan
  variables {
    roles = { deploy = { repository = "team/*", branches = ["main"], policy = "{\"Statement\": [{}]}" } }
  }
  expect_failures = [var.roles]
}

run "every_branch" {
  command = plan
  variables {
    roles = { deploy = { repository = "team/wine", branches = ["*"], policy = "{\"Statement\": [{}]}" } }
  }
  expect_failures = [var.roles]
}

run "every_environment" {
  command = plan
  variables {
    roles = { deploy = { repository = "team/wine", environments = ["prod*"], policy = "{\"Statement\": [{}]}" } }
  }
  expect_failures = [var.roles]
}

run "no_jobs" {
  command = plan
  variables {
    roles = { deploy = { repository = "team/wine", policy = "{\"Statement\": [{}]}" } }
  }
  expect_failures = [var.roles]
}

run "pull_requests_that_may_deploy" {
  command = plan
  variables {
    roles = { deploy = { repository = "team/wine", branches = ["main"], pull_requests = true, policy = "{\"Statement\": [{}]}" } }
  }
  expect_failures = [var.roles]
}

run "policy_without_a_statement" {
  command = plan
  variables {
    roles = { deploy = { repository = "team/wine", branches = ["main"], policy = "{}" } }
  }
  expect_failures = [var.roles]
}

run "role_for_a_week" {
  command = plan
  variables {
    roles = { deploy = { repository = "team/wine", branches = ["main"], policy = "{\"Statement\": [{}]}", session_seconds = 604800 } }
  }
  expect_failures = [var.roles]
}

run "provider_of_somebody_else" {
  command = plan
  variables {
    provider_arn = "arn:aws:iam::111122223333:oidc-provider/gitlab.com"
  }
  expect_failures = [var.provider_arn]
}

run "boundary_that_is_no_policy" {
  command = plan
  variables {
    permissions_boundary = "boundary"
  }
  expect_failures = [var.permissions_boundary]
}

run "tags_of_aws" {
  command = plan
  variables {
    tags = { "AWS:team" = "wine" }
  }
  expect_failures = [var.tags]
}
