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

run "a_role_is_for_one_branch_of_one_repository" {
  assert {
    condition = jsondecode(aws_iam_role.this["deploy"].assume_role_policy).Statement == [{
      Sid       = "Jobs"
      Effect    = "Allow"
      Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com" }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = { StringEquals = {
        "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
        "token.actions.githubusercontent.com:sub" = ["repo:team/wine:ref:refs/heads/main"]
      } }
    }]
    error_message = "No other repository's jobs become the role, and none of another branch."
  }
  assert {
    condition     = aws_iam_role_policy.this["deploy"].policy == var.roles["deploy"].policy && aws_iam_role.this["deploy"].max_session_duration == 3600
    error_message = "The role has the policy, for an hour."
  }
  assert {
    condition     = aws_iam_openid_connect_provider.this[0].url == "https://token.actions.githubusercontent.com" && aws_iam_openid_connect_provider.this[0].client_id_list == toset(["sts.amazonaws.com"])
    error_message = "GitHub's tokens are for AWS."
  }
  assert {
    condition     = output.role_arns["deploy"] == "arn:aws:iam::111122223333:role/deploy" && output.provider_arn == "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"
    error_message = "Outputs are the role's and the provider's."
  }
}

run "environments_and_pull_requests_have_subjects_of_their_own" {
  variables {
    roles = {
      promote = { repository = "team/wine", branches = ["main", "release/1"], environments = ["prod"], policy = "{\"Statement\": [{}]}", session_seconds = 7200 }
      read    = { repository = "team/wine", pull_requests = true, policy = "{\"Statement\": [{}]}" }
    }
  }
  assert {
    condition = jsondecode(aws_iam_role.this["promote"].assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"] == [
      "repo:team/wine:ref:refs/heads/main", "repo:team/wine:ref:refs/heads/release/1", "repo:team/wine:environment:prod"
    ]
    error_message = "Jobs are of a branch or of an environment."
  }
  assert {
    condition     = jsondecode(aws_iam_role.this["read"].assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"] == ["repo:team/wine:pull_request"]
    error_message = "Pull requests have a role of their own."
  }
  assert {
    condition     = aws_iam_role.this["promote"].max_session_duration == 7200
    error_message = "A role is lent for as long as was said."
  }
}

run "the_accounts_provider_is_used" {
  variables {
    provider_arn         = "arn:aws:iam::444455556666:oidc-provider/token.actions.githubusercontent.com"
    permissions_boundary = "arn:aws:iam::111122223333:policy/boundary"
    tags                 = { team = "wine" }
  }
  assert {
    condition     = length(aws_iam_openid_connect_provider.this) == 0 && output.provider_arn == var.provider_arn && jsondecode(aws_iam_role.this["deploy"].assume_role_policy).Statement[0].Principal.Federated == var.provider_arn
    error_message = "There is no second provider."
  }
  assert {
    condition     = aws_iam_role.this["deploy"].permissions_boundary == var.permissions_boundary && aws_iam_role.this["deploy"].tags == tomap({ team = "wine" })
    error_message = "Settings reach the role."
  }
}

run "no_roles" {
  variables {
    roles = {}
  }
  assert {
    condition     = length(aws_iam_role.this) + length(aws_iam_role_policy.this) == 0 && length(output.role_arns) == 0
    error_message = "There is the provider only."
  }
}
