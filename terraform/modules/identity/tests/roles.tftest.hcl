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
    defaults = { arn = "arn:aws:iam::111122223333:role/team-tracking" }
  }
}

variables {
  name         = "team"
  cluster_name = "main"
}

run "pod_identity_is_for_one_service_account_of_one_cluster" {
  variables {
    tracking = { namespace = "mlflow", service_account = "tracking", bucket_arn = "arn:aws:s3:::team-models" }
  }
  assert {
    condition = jsondecode(aws_iam_role.this["tracking"].assume_role_policy).Statement == [{
      Sid       = "ServiceAccount"
      Effect    = "Allow"
      Principal = { Service = "pods.eks.amazonaws.com" }
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Condition = { StringEquals = {
        "aws:SourceAccount"                         = "111122223333"
        "aws:RequestTag/eks-cluster-arn"            = "arn:aws:eks:eu-west-1:111122223333:cluster/main"
        "aws:RequestTag/kubernetes-namespace"       = "mlflow"
        "aws:RequestTag/kubernetes-service-account" = "tracking"
      } }
    }]
    error_message = "Neither another cluster nor another service account becomes the role."
  }
  assert {
    condition     = [for one in aws_eks_pod_identity_association.this : "${one.cluster_name} ${one.namespace} ${one.service_account} ${one.role_arn}"] == ["main mlflow tracking arn:aws:iam::111122223333:role/team-tracking"]
    error_message = "The association gives the role to the service account."
  }
  assert {
    condition     = output.tracking_role_arn == "arn:aws:iam::111122223333:role/team-tracking" && output.deployer_role_arn == null && length(output.service_account_annotations["tracking"]) == 0
    error_message = "There is the tracking server's role, and no annotation."
  }
}

run "irsa_is_for_one_service_account_of_one_issuer" {
  variables {
    oidc_provider_arn = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/ABC"
    deployer          = { namespace = "ci", service_account = "deployer", policy = jsonencode({ Statement = [{ Action = "sagemaker:CreateModel" }] }) }
  }
  assert {
    condition = jsondecode(aws_iam_role.this["deployer"].assume_role_policy).Statement == [{
      Sid       = "ServiceAccount"
      Effect    = "Allow"
      Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/ABC" }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = { StringEquals = {
        "oidc.eks.eu-west-1.amazonaws.com/id/ABC:aud" = "sts.amazonaws.com"
        "oidc.eks.eu-west-1.amazonaws.com/id/ABC:sub" = "system:serviceaccount:ci:deployer"
      } }
    }]
    error_message = "A token is for AWS, and of this service account."
  }
  assert {
    condition     = length(aws_eks_pod_identity_association.this) == 0 && aws_iam_role_policy.this["deployer"].policy == var.deployer.policy
    error_message = "The role has the policy, and Pod Identity knows nothing of it."
  }
  assert {
    condition     = output.deployer_role_arn != null && output.tracking_role_arn == null && output.service_account_annotations["deployer"]["eks.amazonaws.com/role-arn"] == output.deployer_role_arn
    error_message = "The service account is told its role."
  }
}

run "tracking_server_has_only_its_bucket" {
  variables {
    tracking = { namespace = "mlflow", service_account = "tracking", bucket_arn = "arn:aws:s3:::team-models" }
  }
  assert {
    condition = { for one in jsondecode(aws_iam_role_policy.this["tracking"].policy).Statement : one.Sid => one.Resource } == {
      Artifacts = ["arn:aws:s3:::team-models/*"], Bucket = ["arn:aws:s3:::team-models"]
    }
    error_message = "Without keys, secrets and a database there is nothing about any."
  }
}

run "tracking_server_has_what_is_named_and_no_more" {
  variables {
    tracking = {
      namespace       = "mlflow"
      service_account = "tracking"
      bucket_arn      = "arn:aws:s3:::team-models"
      prefixes        = ["backups", "mlflow/artifacts"]
      kms_key_arns    = ["arn:aws:kms:eu-west-1:111122223333:key/1234"]
      secret_arns     = ["arn:aws:secretsmanager:eu-west-1:111122223333:secret:rds!db"]
      database        = { resource_id = "db-ABC", user = "mlflow" }
    }
    permissions_boundary = "arn:aws:iam::111122223333:policy/boundary"
    tags                 = { team = "wine" }
  }
  assert {
    condition = { for one in jsondecode(aws_iam_role_policy.this["tracking"].policy).Statement : one.Sid => one.Resource } == {
      Artifacts = ["arn:aws:s3:::team-models/backups/*", "arn:aws:s3:::team-models/mlflow/artifacts/*"]
      Bucket    = ["arn:aws:s3:::team-models"]
      Keys      = ["arn:aws:kms:eu-west-1:111122223333:key/1234"]
      Secrets   = ["arn:aws:secretsmanager:eu-west-1:111122223333:secret:rds!db"]
      Database  = ["arn:aws:rds-db:eu-west-1:111122223333:dbuser:db-ABC/mlflow"]
    }
    error_message = "Each statement is about what was named."
  }
  assert {
    condition     = [for one in jsondecode(aws_iam_role_policy.this["tracking"].policy).Statement : one.Condition.StringEquals["kms:ViaService"] if one.Sid == "Keys"] == [["s3.eu-west-1.amazonaws.com", "secretsmanager.eu-west-1.amazonaws.com"]]
    error_message = "The key is used by S3 and Secrets Manager."
  }
  assert {
    condition     = aws_iam_role.this["tracking"].permissions_boundary == var.permissions_boundary && aws_iam_role.this["tracking"].tags == tomap({ team = "wine" }) && aws_eks_pod_identity_association.this["tracking"].tags == tomap({ team = "wine" })
    error_message = "Settings reach the role."
  }
}

run "nobody_and_so_no_role" {
  assert {
    condition     = length(aws_iam_role.this) + length(aws_iam_role_policy.this) + length(aws_eks_pod_identity_association.this) == 0 && output.service_account_annotations == {}
    error_message = "There is no role."
  }
}
