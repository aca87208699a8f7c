package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
)

const invalid = "ValidationException"

func (clients *Clients) listTags(ctx context.Context, arn *string) (map[string]string, error) {
	found := map[string]string{}
	pages := sagemaker.NewListTagsPaginator(clients.sagemaker, &sagemaker.ListTagsInput{ResourceArn: arn})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, one := range page.Tags {
			found[aws.ToString(one.Key)] = aws.ToString(one.Value)
		}
	}
	return found, nil
}

func (clients *Clients) model(request *sagemaker.CreateModelInput) Resource {
	name := request.ModelName
	return Resource{
		Wanted: attributes(request),
		Create: func(ctx context.Context) error {
			_, err := clients.sagemaker.CreateModel(ctx, request)
			return err
		},
		Read: func(ctx context.Context) (Attributes, error) {
			found, err := clients.sagemaker.DescribeModel(ctx, &sagemaker.DescribeModelInput{ModelName: name})
			if isRefusal(err, invalid, "Could not find model") {
				return nil, nil
			}
			if err != nil {
				return nil, err
			}
			tags, err := clients.listTags(ctx, found.ModelArn)
			return observed(request, found, tags), err
		},
		Delete: func(ctx context.Context) error {
			_, err := clients.sagemaker.DeleteModel(ctx, &sagemaker.DeleteModelInput{ModelName: name})
			return unless(err, "Could not find model")
		},
	}
}

func (clients *Clients) configuration(request *sagemaker.CreateEndpointConfigInput) Resource {
	name := request.EndpointConfigName
	return Resource{
		Wanted: attributes(request),
		Create: func(ctx context.Context) error {
			_, err := clients.sagemaker.CreateEndpointConfig(ctx, request)
			return err
		},
		Read: func(ctx context.Context) (Attributes, error) {
			input := &sagemaker.DescribeEndpointConfigInput{EndpointConfigName: name}
			found, err := clients.sagemaker.DescribeEndpointConfig(ctx, input)
			if isRefusal(err, invalid, "Could not find endpoint configuration") {
				return nil, nil
			}
			if err != nil {
				return nil, err
			}
			tags, err := clients.listTags(ctx, found.EndpointConfigArn)
			return observed(request, found, tags), err
		},
		Delete: func(ctx context.Context) error {
			_, err := clients.sagemaker.DeleteEndpointConfig(ctx, &sagemaker.DeleteEndpointConfigInput{EndpointConfigName: name})
			return unless(err, "Could not find endpoint configuration")
		},
	}
}

func (clients *Clients) endpoint(request *sagemaker.CreateEndpointInput) Resource {
	return Resource{
		Wanted: attributes(request),
		Create: func(ctx context.Context) error {
			if _, err := clients.sagemaker.CreateEndpoint(ctx, request); err != nil {
				return err
			}
			return clients.waitInService(ctx, request.EndpointName)
		},
		Read: func(ctx context.Context) (Attributes, error) {
			found, err := clients.describeEndpoint(ctx, request.EndpointName)
			if isRefusal(err, invalid, "Could not find endpoint") {
				return nil, nil
			}
			if err != nil {
				return nil, err
			}
			tags, err := clients.listTags(ctx, found.EndpointArn)
			read := observed(request, found, tags)
			if found.LastDeploymentConfig != nil {
				read["DeploymentConfig"] = map[string]any(attributes(found.LastDeploymentConfig))
			}
			return read, err
		},
		Update: func(ctx context.Context) error {
			if _, err := clients.sagemaker.UpdateEndpoint(ctx, &sagemaker.UpdateEndpointInput{
				EndpointName:       request.EndpointName,
				EndpointConfigName: request.EndpointConfigName,
				DeploymentConfig:   request.DeploymentConfig,
			}); err != nil {
				return err
			}
			return clients.waitInService(ctx, request.EndpointName)
		},
		Delete: func(ctx context.Context) error {
			_, err := clients.sagemaker.DeleteEndpoint(ctx, &sagemaker.DeleteEndpointInput{EndpointName: request.EndpointName})
			if err != nil {
				return unless(err, "Could not find endpoint")
			}
			return clients.waitDeleted(ctx, request.EndpointName)
		},
	}
}

func (clients *Clients) describeEndpoint(ctx context.Context, name *string) (*sagemaker.DescribeEndpointOutput, error) {
	return clients.sagemaker.DescribeEndpoint(ctx, &sagemaker.DescribeEndpointInput{EndpointName: name})
}

func (clients *Clients) waitInService(ctx context.Context, name *string) error {
	waiter := sagemaker.NewEndpointInServiceWaiter(clients.sagemaker, func(options *sagemaker.EndpointInServiceWaiterOptions) {
		options.MinDelay, options.MaxDelay = firstLook, lastLook
	})
	return waiter.Wait(ctx, &sagemaker.DescribeEndpointInput{EndpointName: name}, limit)
}

func (clients *Clients) waitDeleted(ctx context.Context, name *string) error {
	waiter := sagemaker.NewEndpointDeletedWaiter(clients.sagemaker, func(options *sagemaker.EndpointDeletedWaiterOptions) {
		options.MinDelay, options.MaxDelay = firstLook, lastLook
	})
	return waiter.Wait(ctx, &sagemaker.DescribeEndpointInput{EndpointName: name}, limit)
}

// unless is an error but for the one which says that there is nothing.
func unless(err error, words string) error {
	if isRefusal(err, invalid, words) {
		return nil
	}
	return err
}

// What most scenarios begin with.

func tags(pairs ...string) []types.Tag {
	made := []types.Tag{}
	for number := 0; number < len(pairs); number += 2 {
		made = append(made, types.Tag{Key: aws.String(pairs[number]), Value: aws.String(pairs[number+1])})
	}
	return made
}

func container(given Given, answer string) *types.ContainerDefinition {
	return &types.ContainerDefinition{
		Image:       aws.String(given.Image),
		Mode:        types.ContainerModeSingleModel,
		Environment: map[string]string{"STAND_IN_ANSWER": answer},
	}
}

func simpleModel(given Given, name string) *sagemaker.CreateModelInput {
	return &sagemaker.CreateModelInput{
		ModelName:        aws.String(name),
		ExecutionRoleArn: aws.String(given.Role),
		PrimaryContainer: container(given, name),
	}
}

func variant(model string, instance types.ProductionVariantInstanceType, count int32) types.ProductionVariant {
	return types.ProductionVariant{
		VariantName:          aws.String("AllTraffic"),
		ModelName:            aws.String(model),
		InstanceType:         instance,
		InitialInstanceCount: aws.Int32(count),
		InitialVariantWeight: aws.Float32(1),
	}
}

func simpleConfiguration(name, model string) *sagemaker.CreateEndpointConfigInput {
	return &sagemaker.CreateEndpointConfigInput{
		EndpointConfigName: aws.String(name),
		ProductionVariants: []types.ProductionVariant{variant(model, types.ProductionVariantInstanceTypeMlM5Large, 1)},
	}
}

func simpleEndpoint(name, configuration string) *sagemaker.CreateEndpointInput {
	return &sagemaker.CreateEndpointInput{EndpointName: aws.String(name), EndpointConfigName: aws.String(configuration)}
}

// stack is a model, a configuration and an endpoint of one name; each stands on the one before it.
func (clients *Clients) stack(given Given, name string) []Resource {
	return []Resource{
		clients.model(simpleModel(given, name)),
		clients.configuration(simpleConfiguration(name, name)),
		clients.endpoint(simpleEndpoint(name, name)),
	}
}

func createAll(ctx context.Context, resources ...Resource) error {
	for number, one := range resources {
		if err := one.Create(ctx); err != nil {
			return fmt.Errorf("create resource %d: %w", number+1, err)
		}
	}
	return nil
}

// deleteAll deletes what stands on others first.
func deleteAll(ctx context.Context, resources ...Resource) error {
	for number := len(resources) - 1; number >= 0; number-- {
		if err := resources[number].Delete(ctx); err != nil {
			return fmt.Errorf("delete resource %d: %w", number+1, err)
		}
	}
	return nil
}
