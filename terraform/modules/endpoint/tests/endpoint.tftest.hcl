mock_provider "aws" {
  mock_resource "aws_sagemaker_endpoint" {
    defaults = { arn = "arn:aws:sagemaker:eu-west-1:111122223333:endpoint/prod-wine" }
  }
}

variables {
  name               = "prod-wine"
  execution_role_arn = "arn:aws:iam::111122223333:role/prod-wine"
  image              = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/dockyard/wine@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
}

run "endpoint_has_two_instances_and_is_rolled_back_by_errors" {
  assert {
    condition     = one(aws_sagemaker_endpoint_configuration.this.production_variants).variant_name == "AllTraffic" && one(aws_sagemaker_endpoint_configuration.this.production_variants).initial_instance_count == 2 && one(aws_sagemaker_endpoint_configuration.this.production_variants).instance_type == "ml.m5.large"
    error_message = "Two instances behind one name of a variant."
  }
  assert {
    condition     = one(aws_sagemaker_model.this["model"].primary_container).image == var.image && length(aws_sagemaker_model.this) == 1
    error_message = "The image is served by its digest."
  }
  assert {
    condition     = one(one(aws_sagemaker_endpoint.this.deployment_config).auto_rollback_configuration).alarms[*].alarm_name == tolist(["dockyard-prod-wine-errors"])
    error_message = "Errors bring the old revision back."
  }
  assert {
    condition     = one(one(one(aws_sagemaker_endpoint.this.deployment_config).blue_green_update_policy).traffic_routing_configuration).type == "ALL_AT_ONCE" && length(one(aws_sagemaker_endpoint.this.deployment_config).rolling_update_policy) == 0
    error_message = "Traffic moves all at once."
  }
  assert {
    condition = alltrue([
      length(aws_sagemaker_endpoint_configuration.this.data_capture_config) == 0, length(aws_sagemaker_endpoint_configuration.this.async_inference_config) == 0,
      length(aws_sagemaker_endpoint_configuration.this.shadow_production_variants) == 0, length(one(aws_sagemaker_endpoint_configuration.this.production_variants).serverless_config) == 0,
      length(aws_sagemaker_model.this["model"].vpc_config) == 0, length(aws_appautoscaling_target.this) == 0, length(aws_appautoscaling_policy.this) == 0,
    ])
    error_message = "What was not asked for is not there."
  }
  assert {
    condition     = aws_sagemaker_model.this["model"].name == "prod-wine-a5a18a1b449827cf" && output.configuration_name == "prod-wine-c9c6cb464b54c2a4"
    error_message = "Names of models and configurations do not change unless what is in them does: otherwise a new release would replace everybody's."
  }
  assert {
    condition     = output.endpoint_name == "prod-wine" && output.alarm_names == toset(["dockyard-prod-wine-errors"])
    error_message = "Outputs name the endpoint, its configuration and its alarms."
  }
  assert {
    condition     = output.endpoint_arn == "arn:aws:sagemaker:eu-west-1:111122223333:endpoint/prod-wine"
    error_message = "The output is the endpoint's ARN."
  }
}

run "another_instance_makes_another_configuration_of_the_same_model" {
  variables {
    instances = { type = "ml.c7g.large", count = 1, startup_timeout_seconds = 600, download_timeout_seconds = 60, volume_gb = 30 }
  }
  assert {
    condition     = output.configuration_name == "prod-wine-ca3b4c690f63b6f2"
    error_message = "A configuration is named after what is in it."
  }
  assert {
    condition     = aws_sagemaker_model.this["model"].name == "prod-wine-a5a18a1b449827cf"
    error_message = "The model is the same, and so is its name."
  }
  assert {
    condition     = one(aws_sagemaker_endpoint_configuration.this.production_variants).instance_type == "ml.c7g.large" && one(aws_sagemaker_endpoint_configuration.this.production_variants).container_startup_health_check_timeout_in_seconds == 600
    error_message = "Settings reach the variant."
  }
  assert {
    condition     = one(aws_sagemaker_endpoint_configuration.this.production_variants).initial_instance_count == 1 && one(aws_sagemaker_endpoint_configuration.this.production_variants).model_data_download_timeout_in_seconds == 60 && one(aws_sagemaker_endpoint_configuration.this.production_variants).volume_size_in_gb == 30
    error_message = "Settings reach the variant."
  }
}

run "model_has_its_data_environment_network_and_key" {
  variables {
    model_data_url    = "s3://models/wine/model.tar.gz"
    environment       = { LOG_LEVEL = "debug" }
    vpc               = { subnet_ids = ["subnet-1"], security_group_ids = ["sg-1"] }
    network_isolation = true
    kms_key_arn       = "arn:aws:kms:eu-west-1:111122223333:key/1234"
    tags              = { team = "wine" }
  }
  assert {
    condition     = one(aws_sagemaker_model.this["model"].primary_container).model_data_url == "s3://models/wine/model.tar.gz" && one(aws_sagemaker_model.this["model"].primary_container).environment == tomap({ LOG_LEVEL = "debug" })
    error_message = "Data and environment reach the container."
  }
  assert {
    condition     = one(aws_sagemaker_model.this["model"].vpc_config).subnets == toset(["subnet-1"]) && aws_sagemaker_model.this["model"].enable_network_isolation
    error_message = "The model is in the VPC."
  }
  assert {
    condition     = aws_sagemaker_endpoint_configuration.this.kms_key_arn == var.kms_key_arn && aws_sagemaker_endpoint.this.tags == tomap({ team = "wine" })
    error_message = "Volumes are encrypted with the key."
  }
}

run "requests_are_captured_and_shadowed" {
  variables {
    capture = { uri = "s3://captured/wine", percent = 10 }
    shadow  = { image = "wine@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", percent = 50 }
  }
  assert {
    condition     = one(aws_sagemaker_endpoint_configuration.this.data_capture_config).initial_sampling_percentage == 10 && one(aws_sagemaker_endpoint_configuration.this.data_capture_config).capture_options[*].capture_mode == tolist(["Input", "Output"])
    error_message = "A tenth of requests and answers is captured."
  }
  assert {
    condition     = one(aws_sagemaker_endpoint_configuration.this.shadow_production_variants).initial_variant_weight == 0.5 && one(aws_sagemaker_model.this["shadow"].primary_container).image == var.shadow.image
    error_message = "The shadow gets half of the requests."
  }
}

run "image_of_a_shadow_may_come_to_serve_while_the_shadow_is_there" {
  command = plan
  variables {
    shadow = { image = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/dockyard/wine@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" }
  }
  assert {
    condition     = aws_sagemaker_model.this["shadow"].name != aws_sagemaker_model.this["model"].name
    error_message = "Two models at a time cannot have one name."
  }
}

run "only_requests_are_captured_and_only_a_schedule_scales" {
  variables {
    capture = { uri = "s3://captured/wine", output = false }
    scaling = { min = 1, max = 4, schedule = { night = { schedule = "cron(0 22 * * ? *)", min = 1, max = 1 } } }
  }
  assert {
    condition     = one(aws_sagemaker_endpoint_configuration.this.data_capture_config).capture_options[*].capture_mode == tolist(["Input"])
    error_message = "Answers are not captured."
  }
  assert {
    condition     = aws_appautoscaling_scheduled_action.this["night"].schedule == "cron(0 22 * * ? *)" && one(aws_appautoscaling_scheduled_action.this["night"].scalable_target_action).max_capacity == "1" && length(aws_appautoscaling_policy.this) == 0
    error_message = "At night there is one instance, and requests do not count."
  }
}

run "answers_come_from_a_queue" {
  variables {
    asynchronous = { output_uri = "s3://answers/wine", failure_uri = "s3://failures/wine", error_topic = "arn:aws:sns:eu-west-1:111122223333:bad", concurrency = 4 }
    scaling      = { min = 0, max = 2, requests_per_instance = 5 }
  }
  assert {
    condition     = one(one(aws_sagemaker_endpoint_configuration.this.async_inference_config).output_config).s3_failure_path == "s3://failures/wine" && one(one(aws_sagemaker_endpoint_configuration.this.async_inference_config).client_config).max_concurrent_invocations_per_instance == 4
    error_message = "Answers and failures are kept."
  }
  assert {
    condition     = one(one(one(aws_sagemaker_endpoint_configuration.this.async_inference_config).output_config).notification_config).error_topic == "arn:aws:sns:eu-west-1:111122223333:bad" && aws_appautoscaling_target.this[0].min_capacity == 0
    error_message = "Failures are told, and behind a queue there may be no instance."
  }
}

run "without_instances_there_is_memory" {
  variables {
    serverless = { memory_mb = 4096, max_concurrency = 20, provisioned = 2 }
  }
  assert {
    condition     = one(one(aws_sagemaker_endpoint_configuration.this.production_variants).serverless_config).memory_size_in_mb == 4096 && one(one(aws_sagemaker_endpoint_configuration.this.production_variants).serverless_config).provisioned_concurrency == 2
    error_message = "Memory and concurrency are as asked."
  }
  assert {
    condition     = one(aws_sagemaker_endpoint_configuration.this.production_variants).instance_type == null && aws_sagemaker_endpoint_configuration.this.kms_key_arn == null
    error_message = "There are no instances and no volumes."
  }
}

run "without_an_image_components_can_be_put_on_it" {
  variables {
    image = null
  }
  assert {
    condition     = length(aws_sagemaker_model.this) == 0 && one(aws_sagemaker_endpoint_configuration.this.production_variants).model_name == null && aws_sagemaker_endpoint_configuration.this.execution_role_arn == var.execution_role_arn
    error_message = "The configuration has the role and no model."
  }
}
