mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-west-1:111122223333:key/1234" }
  }
}

variables {
  name = "dockyard/models"
}

run "key_rotates_and_only_the_account_decides" {
  assert {
    condition     = aws_kms_key.this.enable_key_rotation && aws_kms_key.this.rotation_period_in_days == 365 && aws_kms_key.this.deletion_window_in_days == 30
    error_message = "A key rotates yearly and can be brought back for 30 days."
  }
  assert {
    condition     = [for one in jsondecode(aws_kms_key.this.policy).Statement : one.Sid] == ["AccountDecides"]
    error_message = "Without users and services there is one statement."
  }
  assert {
    condition     = jsondecode(aws_kms_key.this.policy).Statement[0].Principal.AWS == "arn:aws:iam::111122223333:root"
    error_message = "The account is the caller's."
  }
  assert {
    condition     = output.alias_name == "alias/dockyard/models" && output.key_arn == "arn:aws:kms:eu-west-1:111122223333:key/1234"
    error_message = "Outputs are the key's."
  }
}

run "users_and_services_get_statements_of_their_own" {
  variables {
    user_arns            = ["arn:aws:iam::111122223333:role/wine"]
    services             = ["sns.amazonaws.com", "logs.eu-west-1.amazonaws.com"]
    deletion_window_days = 7
    rotation_days        = 90
    tags                 = { team = "wine" }
  }
  assert {
    condition     = [for one in jsondecode(aws_kms_key.this.policy).Statement : one.Sid] == ["AccountDecides", "Users", "UsersGrantToServices", "Services"]
    error_message = "Users and services have statements."
  }
  assert {
    condition     = alltrue([for one in jsondecode(aws_kms_key.this.policy).Statement : one.Action != "kms:*" || one.Sid == "AccountDecides"])
    error_message = "Only the account has all actions."
  }
  assert {
    condition     = jsondecode(aws_kms_key.this.policy).Statement[3].Condition.StringEquals["aws:SourceAccount"] == "111122223333"
    error_message = "A service acts for this account only."
  }
  assert {
    condition     = jsondecode(aws_kms_key.this.policy).Statement[2].Condition.Bool["kms:GrantIsForAWSResource"] == "true"
    error_message = "Users grant to AWS services only."
  }
  assert {
    condition     = aws_kms_key.this.deletion_window_in_days == 7 && aws_kms_key.this.rotation_period_in_days == 90 && aws_kms_key.this.tags == tomap({ team = "wine" })
    error_message = "Settings reach the key."
  }
}
