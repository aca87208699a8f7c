locals {
  # The one name of the variant in every configuration: SageMaker shifts traffic only between variants of the same name, and alarms
  # and scaling are bound to it.
  variant     = "AllTraffic"
  stem        = trimsuffix(substr(var.name, 0, min(46, length(var.name))), "-")
  images      = { for name, image in { model = var.image, shadow = try(var.shadow.image, null) } : name => image if image != null }
  environment = { for key, value in var.environment : key => value if value != null }

  # Without what has come later and was not asked for: names of configurations that are there stay.
  instances = { for name, value in var.instances : name => value if name != "volume_gb" || value != null }

  # Neither a model nor a configuration can be changed: what is in it is in its name, so a change makes another one. A shadow's name is
  # never that of a model which serves: the shadow is still there when the same image comes to serve.
  contents = {
    for name, image in local.images : name => jsonencode([
      image, name == "model" ? var.model_data_url : "shadow", local.environment, var.execution_role_arn, var.vpc, var.network_isolation
    ])
  }
  model_names = { for name, content in local.contents : name => "${local.stem}-${substr(sha256(content), 0, 16)}" }
  configuration_name = "${local.stem}-${substr(sha256(jsonencode([
    local.model_names, local.instances, var.serverless, var.kms_key_arn, var.capture, var.asynchronous, try(var.shadow.percent, null), var.execution_role_arn
  ])), 0, 16)}"
}

resource "aws_sagemaker_model" "this" {
  #checkov:skip=CKV_AWS_370:A model that asks another service cannot be isolated: variable network_isolation
  for_each                 = local.images
  name                     = local.model_names[each.key]
  execution_role_arn       = var.execution_role_arn
  enable_network_isolation = var.network_isolation
  tags                     = var.tags

  primary_container {
    image          = each.value
    model_data_url = each.key == "model" ? var.model_data_url : null
    environment    = local.environment
  }

  dynamic "vpc_config" {
    for_each = var.vpc == null ? [] : [var.vpc]

    content {
      subnets            = vpc_config.value.subnet_ids
      security_group_ids = vpc_config.value.security_group_ids
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_sagemaker_endpoint_configuration" "this" {
  name               = local.configuration_name
  kms_key_arn        = var.serverless == null ? var.kms_key_arn : null
  execution_role_arn = var.image == null ? var.execution_role_arn : null
  tags               = var.tags

  production_variants {
    variant_name           = local.variant
    model_name             = var.image == null ? null : aws_sagemaker_model.this["model"].name
    initial_variant_weight = var.image == null ? null : 1

    instance_type                                     = var.serverless == null ? var.instances.type : null
    initial_instance_count                            = var.serverless == null ? var.instances.count : null
    container_startup_health_check_timeout_in_seconds = var.serverless == null ? var.instances.startup_timeout_seconds : null
    model_data_download_timeout_in_seconds            = var.serverless == null ? var.instances.download_timeout_seconds : null
    volume_size_in_gb                                 = var.serverless == null ? var.instances.volume_gb : null

    dynamic "serverless_config" {
      for_each = var.serverless == null ? [] : [var.serverless]

      content {
        memory_size_in_mb       = serverless_config.value.memory_mb
        max_concurrency         = serverless_config.value.max_concurrency
        provisioned_concurrency = serverless_config.value.provisioned
      }
    }
  }

  dynamic "shadow_production_variants" {
    for_each = var.shadow == null ? [] : [var.shadow]

    content {
      variant_name           = "Shadow"
      model_name             = aws_sagemaker_model.this["shadow"].name
      initial_variant_weight = shadow_production_variants.value.percent / 100

      instance_type                                     = var.instances.type
      initial_instance_count                            = var.instances.count
      container_startup_health_check_timeout_in_seconds = var.instances.startup_timeout_seconds
      model_data_download_timeout_in_seconds            = var.instances.download_timeout_seconds
      volume_size_in_gb                                 = var.instances.volume_gb
    }
  }

  dynamic "data_capture_config" {
    for_each = var.capture == null ? [] : [var.capture]

    content {
      enable_capture              = true
      destination_s3_uri          = data_capture_config.value.uri
      initial_sampling_percentage = data_capture_config.value.percent
      kms_key_id                  = var.kms_key_arn

      dynamic "capture_options" {
        for_each = [for mode, wanted in { Input = data_capture_config.value.input, Output = data_capture_config.value.output } : mode if wanted]

        content {
          capture_mode = capture_options.value
        }
      }
      capture_content_type_header {
        json_content_types = ["application/json"]
        csv_content_types  = ["text/csv"]
      }
    }
  }

  dynamic "async_inference_config" {
    for_each = var.asynchronous == null ? [] : [var.asynchronous]

    content {
      client_config {
        max_concurrent_invocations_per_instance = async_inference_config.value.concurrency
      }
      output_config {
        s3_output_path  = async_inference_config.value.output_uri
        s3_failure_path = async_inference_config.value.failure_uri
        kms_key_id      = var.kms_key_arn

        notification_config {
          success_topic = async_inference_config.value.success_topic
          error_topic   = async_inference_config.value.error_topic
        }
      }
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}
