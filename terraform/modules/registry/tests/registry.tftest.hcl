mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_resource "aws_ecr_repository" {
    defaults = {
      arn            = "arn:aws:ecr:eu-west-1:111122223333:repository/dockyard/wine"
      repository_url = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/dockyard/wine"
    }
  }
}

variables {
  repositories = ["dockyard/wine"]
  kms_key_arn  = "arn:aws:kms:eu-west-1:111122223333:key/1234"
}

run "images_are_immutable_scanned_and_encrypted" {
  assert {
    condition     = aws_ecr_repository.this["dockyard/wine"].image_tag_mutability == "IMMUTABLE" && one(aws_ecr_repository.this["dockyard/wine"].image_scanning_configuration).scan_on_push
    error_message = "A tag stays with its image, and images are scanned."
  }
  assert {
    condition     = one(aws_ecr_repository.this["dockyard/wine"].encryption_configuration).kms_key == var.kms_key_arn && !aws_ecr_repository.this["dockyard/wine"].force_delete
    error_message = "Images are encrypted with the key, and not deleted with the repository."
  }
  assert {
    condition     = jsondecode(aws_ecr_lifecycle_policy.this["dockyard/wine"].policy).rules[*].selection.tagStatus == ["untagged"]
    error_message = "By default only images without a tag are deleted."
  }
  assert {
    condition     = jsondecode(aws_ecr_lifecycle_policy.this["dockyard/wine"].policy).rules[0].selection.countNumber == 14
    error_message = "After 14 days."
  }
  assert {
    condition     = length(aws_ecr_repository_policy.this) == 0
    error_message = "No other account reads."
  }
  assert {
    condition     = output.repository_urls == { "dockyard/wine" = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/dockyard/wine" } && output.repository_arns == { "dockyard/wine" = "arn:aws:ecr:eu-west-1:111122223333:repository/dockyard/wine" }
    error_message = "Outputs are by name."
  }
}

run "no_repository_is_none" {
  variables {
    repositories = []
  }
  assert {
    condition     = length(aws_ecr_repository.this) == 0 && length(aws_ecr_lifecycle_policy.this) == 0 && output.repository_urls == {}
    error_message = "There is nothing."
  }
}

run "everything_can_be_set" {
  variables {
    repositories       = ["dockyard/wine", "dockyard/tea"]
    untagged_days      = 1
    keep_by_prefix     = { "pr-" = 5, "ci-" = 50 }
    reader_account_ids = ["444455556666"]
    force_delete       = true
    tags               = { team = "wine" }
  }
  assert {
    condition     = jsondecode(aws_ecr_lifecycle_policy.this["dockyard/tea"].policy).rules[*].rulePriority == [1, 2, 3]
    error_message = "Every rule has a place."
  }
  assert {
    condition     = [for rule in jsondecode(aws_ecr_lifecycle_policy.this["dockyard/tea"].policy).rules : rule.selection.countNumber] == [1, 50, 5]
    error_message = "As many are kept as was said."
  }
  assert {
    condition     = jsondecode(aws_ecr_repository_policy.this["dockyard/wine"].policy).Statement[0].Principal.AWS == ["arn:aws:iam::444455556666:root"]
    error_message = "The other account pulls."
  }
  assert {
    condition     = alltrue([for action in jsondecode(aws_ecr_repository_policy.this["dockyard/wine"].policy).Statement[0].Action : startswith(action, "ecr:Batch") || startswith(action, "ecr:Get")])
    error_message = "It only pulls."
  }
  assert {
    condition     = aws_ecr_repository.this["dockyard/tea"].force_delete && aws_ecr_repository.this["dockyard/tea"].tags == tomap({ team = "wine" })
    error_message = "Settings reach the repositories."
  }
}
