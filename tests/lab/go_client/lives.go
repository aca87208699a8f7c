package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	scalingtypes "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
)

func liveModel(ctx context.Context, clients *Clients, given Given, seen Seen) error {
	put := &s3.PutObjectInput{
		Bucket: aws.String(given.Bucket), Key: aws.String("go-model/weights.bin"), Body: strings.NewReader("weights"),
	}
	if _, err := clients.s3.PutObject(ctx, put); err != nil {
		return err
	}
	request := simpleModel(given, "go-model")
	request.EnableNetworkIsolation = aws.Bool(true)
	request.Tags = tags("team", "pricing", "dockyard:model", "a model")
	request.VpcConfig = &types.VpcConfig{SecurityGroupIds: []string{"sg-0a1b2c3d"}, Subnets: []string{"subnet-1", "subnet-2"}}
	request.PrimaryContainer.ContainerHostname = aws.String("primary")
	request.PrimaryContainer.ImageConfig = &types.ImageConfig{RepositoryAccessMode: types.RepositoryAccessModePlatform}
	request.PrimaryContainer.ModelDataSource = &types.ModelDataSource{S3DataSource: &types.S3ModelDataSource{
		CompressionType: types.ModelCompressionTypeNone,
		S3DataType:      types.S3ModelDataTypeS3Prefix,
		S3Uri:           aws.String("s3://" + given.Bucket + "/go-model/"),
	}}
	return clients.model(request).live(ctx, seen)
}

func liveConfiguration(ctx context.Context, clients *Clients, given Given, seen Seen) error {
	model := clients.model(simpleModel(given, "go-config"))
	request := simpleConfiguration("go-config", "go-config")
	request.Tags = tags("team", "pricing")
	request.KmsKeyId = aws.String("alias/endpoint")
	one := &request.ProductionVariants[0]
	one.ContainerStartupHealthCheckTimeoutInSeconds = aws.Int32(300)
	one.ModelDataDownloadTimeoutInSeconds = aws.Int32(600)
	one.VolumeSizeInGB = aws.Int32(30)
	one.EnableSSMAccess = aws.Bool(true)
	one.RoutingConfig = &types.ProductionVariantRoutingConfig{RoutingStrategy: types.RoutingStrategyLeastOutstandingRequests}
	one.ManagedInstanceScaling = &types.ProductionVariantManagedInstanceScaling{
		Status: types.ManagedInstanceScalingStatusEnabled, MinInstanceCount: aws.Int32(1), MaxInstanceCount: aws.Int32(3),
	}
	second := variant("go-config", types.ProductionVariantInstanceTypeMlC5Xlarge, 2)
	second.VariantName, second.InitialVariantWeight = aws.String("Second"), aws.Float32(0.25)
	request.ProductionVariants = append(request.ProductionVariants, second)
	request.DataCaptureConfig = &types.DataCaptureConfig{
		EnableCapture:             aws.Bool(true),
		InitialSamplingPercentage: aws.Int32(20),
		DestinationS3Uri:          aws.String("s3://" + given.Bucket + "/captured"),
		CaptureOptions:            []types.CaptureOption{{CaptureMode: types.CaptureModeInput}, {CaptureMode: types.CaptureModeOutput}},
		CaptureContentTypeHeader:  &types.CaptureContentTypeHeader{JsonContentTypes: []string{"application/json"}},
	}
	request.AsyncInferenceConfig = &types.AsyncInferenceConfig{
		ClientConfig: &types.AsyncInferenceClientConfig{MaxConcurrentInvocationsPerInstance: aws.Int32(4)},
		OutputConfig: &types.AsyncInferenceOutputConfig{S3OutputPath: aws.String("s3://" + given.Bucket + "/answers")},
	}
	return errors.Join(model.Create(ctx), clients.configuration(request).live(ctx, seen), model.Delete(ctx))
}

func liveShadowConfiguration(ctx context.Context, clients *Clients, given Given, seen Seen) error {
	model := clients.model(simpleModel(given, "go-shadow"))
	request := simpleConfiguration("go-shadow", "go-shadow")
	shadow := variant("go-shadow", types.ProductionVariantInstanceTypeMlM5Large, 1)
	shadow.VariantName, shadow.InitialVariantWeight = aws.String("Shadow"), aws.Float32(0.5)
	request.ShadowProductionVariants = []types.ProductionVariant{shadow}
	return errors.Join(model.Create(ctx), clients.configuration(request).live(ctx, seen), model.Delete(ctx))
}

func liveServerlessConfiguration(ctx context.Context, clients *Clients, given Given, seen Seen) error {
	model := clients.model(simpleModel(given, "go-serverless"))
	request := simpleConfiguration("go-serverless", "go-serverless")
	one := &request.ProductionVariants[0]
	one.InstanceType, one.InitialInstanceCount = "", nil
	one.ServerlessConfig = &types.ProductionVariantServerlessConfig{
		MaxConcurrency: aws.Int32(20), MemorySizeInMB: aws.Int32(2048), ProvisionedConcurrency: aws.Int32(5),
	}
	return errors.Join(model.Create(ctx), clients.configuration(request).live(ctx, seen), model.Delete(ctx))
}

func canary(alarm string) *types.DeploymentConfig {
	return &types.DeploymentConfig{
		BlueGreenUpdatePolicy: &types.BlueGreenUpdatePolicy{
			MaximumExecutionTimeoutInSeconds: aws.Int32(1800),
			TerminationWaitInSeconds:         aws.Int32(0),
			TrafficRoutingConfiguration: &types.TrafficRoutingConfig{
				Type:                  types.TrafficRoutingConfigTypeCanary,
				WaitIntervalInSeconds: aws.Int32(60),
				CanarySize:            &types.CapacitySize{Type: types.CapacitySizeTypeCapacityPercent, Value: aws.Int32(50)},
			},
		},
		AutoRollbackConfiguration: &types.AutoRollbackConfig{Alarms: []types.Alarm{{AlarmName: aws.String(alarm)}}},
	}
}

func rolling() *types.DeploymentConfig {
	return &types.DeploymentConfig{RollingUpdatePolicy: &types.RollingUpdatePolicy{
		MaximumBatchSize:                 &types.CapacitySize{Type: types.CapacitySizeTypeInstanceCount, Value: aws.Int32(1)},
		MaximumExecutionTimeoutInSeconds: aws.Int32(3600),
		RollbackMaximumBatchSize:         &types.CapacitySize{Type: types.CapacitySizeTypeCapacityPercent, Value: aws.Int32(100)},
		WaitIntervalInSeconds:            aws.Int32(30),
	}}
}

// liveEndpoint updates with a canary, then rolling: the instances change in the first, their number in the second.
func liveEndpoint(ctx context.Context, clients *Clients, given Given, seen Seen) error {
	below := clients.stack(given, "go-life")[:2]
	below = append(below, clients.alarm(alarmRequest("go-life", "go-life")))
	second, third := simpleConfiguration("go-life-2", "go-life"), simpleConfiguration("go-life-3", "go-life")
	second.ProductionVariants[0].InstanceType = types.ProductionVariantInstanceTypeMlC5Xlarge
	third.ProductionVariants[0] = variant("go-life", types.ProductionVariantInstanceTypeMlC5Xlarge, 2)
	below = append(below, clients.configuration(second), clients.configuration(third))
	if err := createAll(ctx, below...); err != nil {
		return err
	}
	request := simpleEndpoint("go-life", "go-life")
	request.Tags, request.DeploymentConfig = tags("team", "pricing"), canary("go-life")
	endpoint := clients.endpoint(request)
	if err := endpoint.Create(ctx); err != nil {
		return err
	}
	if err := clients.tellEndpoint(ctx, endpoint, request, seen, "creation"); err != nil {
		return err
	}
	for _, change := range []struct {
		name, configuration string
		how                 *types.DeploymentConfig
	}{{"canary", "go-life-2", canary("go-life")}, {"rolling", "go-life-3", rolling()}} {
		request.EndpointConfigName, request.DeploymentConfig = aws.String(change.configuration), change.how
		endpoint.Wanted = attributes(request)
		planned, err := endpoint.plan(ctx)
		if err != nil {
			return err
		}
		seen["plan before "+change.name] = planned
		if err := endpoint.Update(ctx); err != nil {
			return fmt.Errorf("%s: %w", change.name, err)
		}
		if err := clients.tellEndpoint(ctx, endpoint, request, seen, change.name); err != nil {
			return err
		}
	}
	return errors.Join(endpoint.end(ctx, seen), deleteAll(ctx, below...))
}

// tellEndpoint looks whether anything is left to be done after a change, and at what a provider only reads.
func (clients *Clients) tellEndpoint(
	ctx context.Context, endpoint Resource, request *sagemaker.CreateEndpointInput, seen Seen, after string,
) (err error) {
	if seen["read after "+after], err = endpoint.Read(ctx); err != nil {
		return err
	}
	if seen["plan after "+after], err = endpoint.plan(ctx); err != nil {
		return err
	}
	found, err := clients.describeEndpoint(ctx, request.EndpointName)
	if err != nil {
		return err
	}
	one := found.ProductionVariants[0]
	seen["instances after "+after] = []any{aws.ToInt32(one.CurrentInstanceCount), aws.ToInt32(one.DesiredInstanceCount)}
	seen["times after "+after] = []any{found.CreationTime, found.LastModifiedTime, one.DeployedImages[0].ResolutionTime}
	return nil
}

// replaceModel makes the successor first, moves the endpoint over, and deletes the predecessor: create_before_destroy.
func replaceModel(ctx context.Context, clients *Clients, given Given, seen Seen) error {
	before := clients.stack(given, "go-old")
	if err := createAll(ctx, before...); err != nil {
		return err
	}
	after := clients.stack(given, "go-new")[:2]
	if err := createAll(ctx, after...); err != nil {
		return err
	}
	request := simpleEndpoint("go-old", "go-new")
	endpoint := clients.endpoint(request)
	if err := endpoint.Update(ctx); err != nil {
		return err
	}
	if err := deleteAll(ctx, before[:2]...); err != nil {
		return err
	}
	planned, err := endpoint.plan(ctx)
	if err != nil {
		return err
	}
	seen["plan after replacement"] = planned
	if seen["answer"], err = clients.ask(ctx, "go-old"); err != nil {
		return err
	}
	return deleteAll(ctx, after[0], after[1], endpoint)
}

const dimension = scalingtypes.ScalableDimensionSageMakerVariantDesiredInstanceCount

func (clients *Clients) target(request *applicationautoscaling.RegisterScalableTargetInput) Resource {
	return Resource{
		Wanted: attributes(request),
		Create: func(ctx context.Context) error {
			_, err := clients.scaling.RegisterScalableTarget(ctx, request)
			return err
		},
		Read: func(ctx context.Context) (Attributes, error) {
			pages := applicationautoscaling.NewDescribeScalableTargetsPaginator(
				clients.scaling, &applicationautoscaling.DescribeScalableTargetsInput{
					ServiceNamespace: request.ServiceNamespace, ScalableDimension: dimension, ResourceIds: []string{*request.ResourceId},
				})
			for pages.HasMorePages() {
				page, err := pages.NextPage(ctx)
				if err != nil {
					return nil, err
				}
				for _, one := range page.ScalableTargets {
					listed, err := clients.scaling.ListTagsForResource(ctx, &applicationautoscaling.ListTagsForResourceInput{
						ResourceARN: one.ScalableTargetARN,
					})
					if err != nil {
						return nil, err
					}
					return observed(request, one, listed.Tags), nil
				}
			}
			return nil, nil
		},
		Delete: func(ctx context.Context) error {
			_, err := clients.scaling.DeregisterScalableTarget(ctx, &applicationautoscaling.DeregisterScalableTargetInput{
				ServiceNamespace: request.ServiceNamespace, ScalableDimension: dimension, ResourceId: request.ResourceId,
			})
			if isA[*scalingtypes.ObjectNotFoundException](err) {
				return nil
			}
			return err
		},
	}
}

func (clients *Clients) policy(request *applicationautoscaling.PutScalingPolicyInput) Resource {
	return Resource{
		Wanted: attributes(request),
		Create: func(ctx context.Context) error {
			_, err := clients.scaling.PutScalingPolicy(ctx, request)
			return err
		},
		Read: func(ctx context.Context) (Attributes, error) {
			found, err := clients.scaling.DescribeScalingPolicies(ctx, &applicationautoscaling.DescribeScalingPoliciesInput{
				ServiceNamespace: request.ServiceNamespace, ScalableDimension: dimension, ResourceId: request.ResourceId,
				PolicyNames: []string{*request.PolicyName},
			})
			if err != nil || len(found.ScalingPolicies) == 0 {
				return nil, err
			}
			return observed(request, found.ScalingPolicies[0], nil), nil
		},
		Delete: func(ctx context.Context) error {
			_, err := clients.scaling.DeleteScalingPolicy(ctx, &applicationautoscaling.DeleteScalingPolicyInput{
				ServiceNamespace: request.ServiceNamespace, ScalableDimension: dimension, ResourceId: request.ResourceId,
				PolicyName: request.PolicyName,
			})
			if isA[*scalingtypes.ObjectNotFoundException](err) {
				return nil
			}
			return err
		},
	}
}

func liveScaling(ctx context.Context, clients *Clients, given Given, seen Seen) error {
	below := clients.stack(given, "go-scaled")
	id := aws.String("endpoint/go-scaled/variant/AllTraffic")
	target := clients.target(&applicationautoscaling.RegisterScalableTargetInput{
		ServiceNamespace: scalingtypes.ServiceNamespaceSagemaker, ScalableDimension: dimension, ResourceId: id,
		MinCapacity: aws.Int32(1), MaxCapacity: aws.Int32(4), Tags: map[string]string{"team": "pricing"},
		SuspendedState: &scalingtypes.SuspendedState{ScheduledScalingSuspended: aws.Bool(true)},
	})
	policy := clients.policy(&applicationautoscaling.PutScalingPolicyInput{
		ServiceNamespace: scalingtypes.ServiceNamespaceSagemaker, ScalableDimension: dimension, ResourceId: id,
		PolicyName: aws.String("go-scaled"), PolicyType: scalingtypes.PolicyTypeTargetTrackingScaling,
		TargetTrackingScalingPolicyConfiguration: &scalingtypes.TargetTrackingScalingPolicyConfiguration{
			TargetValue: aws.Float64(70), ScaleInCooldown: aws.Int32(300), ScaleOutCooldown: aws.Int32(60),
			PredefinedMetricSpecification: &scalingtypes.PredefinedMetricSpecification{
				PredefinedMetricType: scalingtypes.MetricTypeSageMakerVariantInvocationsPerInstance,
			},
		},
	})
	if err := createAll(ctx, append(below, target)...); err != nil {
		return err
	}
	planned, err := target.plan(ctx)
	if err != nil {
		return err
	}
	seen["plan after registration"] = planned
	ofPolicy, ofTarget := Seen{}, Seen{}
	seen["policy"], seen["target"] = ofPolicy, ofTarget
	return errors.Join(policy.live(ctx, ofPolicy), target.end(ctx, ofTarget), deleteAll(ctx, below...))
}
