variables {
  image     = "registry.example.com/tracking-server@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
  artifacts = { bucket = "team-models", region = "eu-west-1" }
  database  = { host = "db.example.com", allowed_blocks = ["10.0.8.0/24"] }
}

run "release_with_a_dot" {
  command = plan
  variables {
    release = "team.a"
  }
  expect_failures = [var.release]
}

run "backups_among_the_artifacts" {
  command = plan
  variables {
    backup = { prefix = "mlflow" }
  }
  expect_failures = [var.backup]
}

run "no_backup_is_kept" {
  command = plan
  variables {
    backup = { keep = 0 }
  }
  expect_failures = [var.backup]
}

run "namespace_in_capitals" {
  command = plan
  variables {
    namespace = "ML"
  }
  expect_failures = [var.namespace]
}

run "image_by_its_tag" {
  command = plan
  variables {
    image = "registry.example.com/tracking:1"
  }
  expect_failures = [var.image]
}

run "database_without_a_host" {
  command = plan
  variables {
    database = { host = "", allowed_blocks = ["10.0.8.0/24"] }
  }
  expect_failures = [var.database]
}

run "database_nowhere" {
  command = plan
  variables {
    database = { host = "db.example.com", allowed_blocks = ["10.0.8"] }
  }
  expect_failures = [var.database]
}

run "bucket_in_capitals" {
  command = plan
  variables {
    artifacts = { bucket = "Models", region = "eu-west-1" }
  }
  expect_failures = [var.artifacts]
}

run "role_by_its_name" {
  command = plan
  variables {
    role_arn = "mlflow"
  }
  expect_failures = [var.role_arn]
}

run "host_with_a_scheme" {
  command = plan
  variables {
    ingress = { host = "https://mlflow.example.com", class_name = "nginx", controller_namespace = "ingress-nginx", tls_secret = "tls" }
  }
  expect_failures = [var.ingress]
}

run "secret_in_capitals" {
  command = plan
  variables {
    users_secret = "Users"
  }
  expect_failures = [var.users_secret]
}

run "namespace_of_an_environment" {
  command = plan
  variables {
    environments = { prod = "Models" }
  }
  expect_failures = [var.environments]
}

run "repository_with_a_tag" {
  command = plan
  variables {
    models_repository = "registry.example.com/models:1"
  }
  expect_failures = [var.models_repository]
}
