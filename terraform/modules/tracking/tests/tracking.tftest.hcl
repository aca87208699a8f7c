variables {
  image     = "registry.example.com/tracking-server@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
  artifacts = { bucket = "team-models", region = "eu-west-1" }
  database  = { host = "db.example.com", allowed_blocks = ["10.0.8.0/24", "10.0.9.0/24"] }
}

run "server_is_for_the_cluster_and_signs_in_without_a_password" {
  assert {
    condition = yamldecode(output.values).database == {
      host = "db.example.com", port = 3306, name = "mlflow", user = "mlflow", login = "iam", tlsConfigMap = "rds-ca"
    }
    error_message = "The database is known, and its password is not."
  }
  assert {
    condition     = yamldecode(output.values).image.digest == "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" && yamldecode(output.values).artifacts.prefix == "mlflow"
    error_message = "The image is named by its digest."
  }
  assert {
    condition     = yamldecode(output.values).networkPolicy.database == [{ ipBlock = { cidr = "10.0.8.0/24" } }, { ipBlock = { cidr = "10.0.9.0/24" } }]
    error_message = "Pods reach the database's subnets."
  }
  assert {
    condition     = yamldecode(output.values).networkPolicy.s3[1].ipBlock.cidr == "169.254.170.23/32" && length(yamldecode(output.values).serviceAccountAnnotations) == 0
    error_message = "Pod Identity answers on the node."
  }
  assert {
    condition     = output.url == "http://team-tracking.mlflow" && output.service_accounts == ["mlflow/team-tracking", "mlflow/team-tracking-migration"]
    error_message = "Names are those of the chart."
  }
  assert {
    condition     = !yamldecode(output.values).backup.enabled
    error_message = "Nobody asked for backups."
  }
  assert {
    condition     = yamldecode(output.dockyard) == { registry = { tracking_uri = "http://team-tracking.mlflow" }, image = {}, environments = {} }
    error_message = "Dockyard knows the server."
  }
}

run "server_has_a_name_users_and_a_role" {
  variables {
    release           = "tracking"
    namespace         = "ml"
    role_arn          = "arn:aws:iam::111122223333:role/mlflow"
    ingress           = { host = "mlflow.example.com", class_name = "nginx", controller_namespace = "ingress-nginx", tls_secret = "mlflow-tls" }
    users_secret      = "mlflow-users"
    backup            = { keep = 30 }
    environments      = { prod = "models" }
    models_repository = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/models"
  }
  assert {
    condition     = yamldecode(output.values).ingress == { enabled = true, className = "nginx", hosts = ["mlflow.example.com"], tlsSecretName = "mlflow-tls" } && length(yamldecode(output.values).networkPolicy.clients) == 2
    error_message = "The controller reaches the server under its name."
  }
  assert {
    condition     = yamldecode(output.values).auth == { mode = "basic", secretName = "mlflow-users" } && yamldecode(output.values).networkPolicy.s3Ports == [443]
    error_message = "Users are asked for passwords."
  }
  assert {
    condition     = yamldecode(output.values).serviceAccountAnnotations["eks.amazonaws.com/role-arn"] == "arn:aws:iam::111122223333:role/mlflow"
    error_message = "Accounts have the role."
  }
  assert {
    condition = yamldecode(output.dockyard) == {
      registry     = { tracking_uri = "https://mlflow.example.com" }
      image        = { repository = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/models" }
      environments = { prod = { target = "k8s", k8s = { namespace = "models" } } }
    }
    error_message = "Dockyard knows the server, the repository and the environment."
  }
  assert {
    condition     = output.service_accounts == ["ml/tracking", "ml/tracking-migration", "ml/tracking-backup"]
    error_message = "Names are those of the chart, the backup's among them."
  }
  assert {
    condition     = yamldecode(output.values).backup == { enabled = true, prefix = "backups", schedule = "17 2 * * *", keep = 30 }
    error_message = "Backups are taken every night."
  }
}
