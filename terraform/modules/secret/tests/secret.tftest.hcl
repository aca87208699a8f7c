mock_provider "aws" {
  mock_resource "aws_secretsmanager_secret" {
    defaults = { arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:mlflow/users-AbCdEf" }
  }
}

variables {
  name        = "mlflow/users"
  description = "MLflow's users"
  kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/1234"
  values      = { admin-password = "hunter2" } # not a secret: made up here
}

run "value_is_handed_over_and_not_kept" {
  assert {
    condition     = aws_secretsmanager_secret_version.this.secret_string == null && aws_secretsmanager_secret_version.this.secret_string_wo_version == 1
    error_message = "There is no value in the state."
  }
  assert {
    condition     = aws_secretsmanager_secret.this.kms_key_id == var.kms_key_arn && aws_secretsmanager_secret.this.recovery_window_in_days == 30
    error_message = "It is encrypted with the key, and can be had back."
  }
  assert {
    condition     = output.arn == "arn:aws:secretsmanager:eu-west-1:111122223333:secret:mlflow/users-AbCdEf" && output.name == "mlflow/users"
    error_message = "Outputs name the secret."
  }
}

run "new_values_have_a_higher_revision" {
  variables {
    revision      = 2
    recovery_days = 0
    tags          = { team = "ml" }
  }
  assert {
    condition     = aws_secretsmanager_secret_version.this.secret_string_wo_version == 2 && aws_secretsmanager_secret.this.recovery_window_in_days == 0 && aws_secretsmanager_secret.this.tags == tomap({ team = "ml" })
    error_message = "The number tells the provider to write."
  }
}
