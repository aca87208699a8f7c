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
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/wine" }
  }
}

variables {
  endpoint  = "wine"
  role_name = "wine"
}

run "bare_policies_are_those_of_the_command_line" {
  assert {
    condition     = jsondecode(output.deployer_policy) == jsondecode(file("tests/policies/bare.json")).deployer
    error_message = "The deployer's policy differs from what Dockyard prints."
  }
  assert {
    condition     = jsondecode(aws_iam_role_policy.execution.policy) == jsondecode(file("tests/policies/bare.json")).execution
    error_message = "The execution role's policy differs from what Dockyard prints."
  }
  assert {
    condition     = jsondecode(aws_iam_role.execution.assume_role_policy) == jsondecode(file("tests/policies/bare.json")).trust
    error_message = "Who may assume the role differs from what Dockyard prints."
  }
  assert {
    condition     = length(aws_iam_role.deployer) == 0 && length(aws_iam_role_policy.deployer) == 0 && output.deployer_role_arn == null
    error_message = "Nobody may become the deployer, so there is none."
  }
  assert {
    condition     = output.execution_role_arn == "arn:aws:iam::111122223333:role/wine"
    error_message = "The output is the role's ARN."
  }
}

run "full_policies_are_those_of_the_command_line" {
  variables {
    bucket                  = "s3://models/team"
    async_uris              = ["s3://answers/wine", "s3://failures"]
    capture_uri             = "s3://captured/wine/"
    topic_arns              = ["arn:aws:sns:eu-west-1:111122223333:good", "arn:aws:sns:eu-west-1:111122223333:bad"]
    kms_key_arn             = "arn:aws:kms:eu-west-1:111122223333:key/1234"
    in_vpc                  = true
    component               = true
    package_group           = "Wines"
    base_repository_arns    = ["arn:aws:ecr:eu-west-1:763104351884:repository/pytorch-inference"]
    deployer_principal_arns = ["arn:aws:iam::111122223333:role/pipeline"]
    permissions_boundary    = "arn:aws:iam::111122223333:policy/boundary"
    tags                    = { team = "wine" }
  }
  assert {
    condition     = jsondecode(output.deployer_policy) == jsondecode(file("tests/policies/full.json")).deployer
    error_message = "The deployer's policy differs from what Dockyard prints."
  }
  assert {
    condition     = jsondecode(aws_iam_role_policy.execution.policy) == jsondecode(file("tests/policies/full.json")).execution
    error_message = "The execution role's policy differs from what Dockyard prints."
  }
  assert {
    condition     = aws_iam_role_policy.deployer[0].policy == output.deployer_policy && output.deployer_role_arn == "arn:aws:iam::111122223333:role/wine"
    error_message = "The deployer's role has the policy."
  }
  assert {
    condition     = jsondecode(aws_iam_role.deployer[0].assume_role_policy).Statement[0].Principal.AWS == ["arn:aws:iam::111122223333:role/pipeline"]
    error_message = "Only the pipeline may become the deployer."
  }
  assert {
    condition     = aws_iam_role.execution.permissions_boundary == var.permissions_boundary && aws_iam_role.deployer[0].permissions_boundary == var.permissions_boundary
    error_message = "Both roles are bounded."
  }
  assert {
    condition     = aws_iam_role.execution.tags == tomap({ team = "wine" }) && aws_iam_role.deployer[0].name == "wine-deployer"
    error_message = "Settings reach the roles."
  }
}

run "roles_for_every_endpoint_are_those_of_the_command_line" {
  variables {
    endpoint = "*"
  }
  assert {
    condition     = jsondecode(output.deployer_policy) == jsondecode(file("tests/policies/every.json")).deployer
    error_message = "The deployer's policy differs from what Dockyard prints."
  }
}

run "names_of_revisions_are_cut_as_dockyard_cuts_them" {
  variables {
    endpoint = "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww-vvvvv-uuuuuuuuuuuuuuuuu"
  }
  assert {
    condition     = jsondecode(output.deployer_policy) == jsondecode(file("tests/policies/long.json")).deployer
    error_message = "The deployer's policy differs from what Dockyard prints."
  }
}
