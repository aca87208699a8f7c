package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

const (
	trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},` +
		`"Action":"sts:AssumeRole"}]}`
	reading   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`
	lifecycle = `{"rules":[{"rulePriority":1,"selection":{"tagStatus":"untagged","countType":"imageCountMoreThan",` +
		`"countNumber":9},"action":{"type":"expire"}}]}`
)

func seeIdentity(ctx context.Context, clients *Clients, _ Given, seen Seen) error {
	caller, err := clients.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return err
	}
	seen["account"] = aws.ToString(caller.Account)
	return nil
}

func roleRequest(name string) *iam.CreateRoleInput {
	return &iam.CreateRoleInput{
		RoleName:                 aws.String(name),
		Path:                     aws.String("/"),
		Description:              aws.String("of an endpoint"),
		MaxSessionDuration:       aws.Int32(3600),
		AssumeRolePolicyDocument: aws.String(trust),
		Tags:                     []iamtypes.Tag{{Key: aws.String("team"), Value: aws.String("pricing")}},
	}
}

func (clients *Clients) role(request *iam.CreateRoleInput) Resource {
	name := request.RoleName
	return Resource{
		Wanted: attributes(request),
		Create: func(ctx context.Context) error {
			_, err := clients.iam.CreateRole(ctx, request)
			return err
		},
		Read: func(ctx context.Context) (Attributes, error) {
			found, err := clients.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: name})
			if isA[*iamtypes.NoSuchEntityException](err) {
				return nil, nil
			}
			if err != nil {
				return nil, err
			}
			plain, err := url.QueryUnescape(aws.ToString(found.Role.AssumeRolePolicyDocument))
			if err != nil {
				return nil, err
			}
			found.Role.AssumeRolePolicyDocument = aws.String(plain)
			labels := map[string]string{}
			for _, one := range found.Role.Tags {
				labels[aws.ToString(one.Key)] = aws.ToString(one.Value)
			}
			return observed(request, found.Role, labels), nil
		},
		Delete: func(ctx context.Context) error {
			_, err := clients.iam.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: name})
			if isA[*iamtypes.NoSuchEntityException](err) {
				return nil
			}
			return err
		},
	}
}

func liveRole(ctx context.Context, clients *Clients, _ Given, seen Seen) error {
	role := clients.role(roleRequest("go-role"))
	ended := role.Delete
	role.Delete = func(ctx context.Context) error {
		return errors.Join(emptyRole(ctx, clients, seen), ended(ctx))
	}
	return role.live(ctx, seen)
}

// emptyRole gives a role a policy and takes it away, with whatever else it has: a role that has one cannot be deleted.
func emptyRole(ctx context.Context, clients *Clients, seen Seen) error {
	name, policy, document := aws.String("go-role"), aws.String("read"), aws.String(reading)
	_, err := clients.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: name, PolicyName: policy, PolicyDocument: document})
	if isA[*iamtypes.NoSuchEntityException](err) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = clients.iam.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: name})
	seen["a role with a policy is in the way"] = isA[*iamtypes.DeleteConflictException](err)
	pages := iam.NewListRolePoliciesPaginator(clients.iam, &iam.ListRolePoliciesInput{RoleName: name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		seen["policies"] = page.PolicyNames
		for _, one := range page.PolicyNames {
			input := &iam.DeleteRolePolicyInput{RoleName: name, PolicyName: aws.String(one)}
			if _, err := clients.iam.DeleteRolePolicy(ctx, input); err != nil {
				return err
			}
		}
	}
	return nil
}

func liveRepository(ctx context.Context, clients *Clients, _ Given, seen Seen) error {
	request := &ecr.CreateRepositoryInput{
		RepositoryName:             aws.String("go/wine"),
		ImageTagMutability:         ecrtypes.ImageTagMutabilityImmutable,
		ImageScanningConfiguration: &ecrtypes.ImageScanningConfiguration{ScanOnPush: true},
		EncryptionConfiguration:    &ecrtypes.EncryptionConfiguration{EncryptionType: ecrtypes.EncryptionTypeAes256},
		Tags:                       []ecrtypes.Tag{{Key: aws.String("team"), Value: aws.String("pricing")}},
	}
	names := []string{"go/wine"}
	return Resource{
		Wanted: attributes(request),
		Create: func(ctx context.Context) error {
			if _, err := clients.ecr.CreateRepository(ctx, request); err != nil {
				return err
			}
			return seePolicies(ctx, clients, seen)
		},
		Read: func(ctx context.Context) (Attributes, error) {
			found, err := clients.ecr.DescribeRepositories(ctx, &ecr.DescribeRepositoriesInput{RepositoryNames: names})
			if isA[*ecrtypes.RepositoryNotFoundException](err) {
				return nil, nil
			}
			if err != nil {
				return nil, err
			}
			arn := found.Repositories[0].RepositoryArn
			listed, err := clients.ecr.ListTagsForResource(ctx, &ecr.ListTagsForResourceInput{ResourceArn: arn})
			if err != nil {
				return nil, err
			}
			labels := map[string]string{}
			for _, one := range listed.Tags {
				labels[aws.ToString(one.Key)] = aws.ToString(one.Value)
			}
			return observed(request, found.Repositories[0], labels), nil
		},
		Delete: func(ctx context.Context) error {
			_, err := clients.ecr.DeleteRepository(ctx, &ecr.DeleteRepositoryInput{RepositoryName: aws.String("go/wine"), Force: true})
			if isA[*ecrtypes.RepositoryNotFoundException](err) {
				return nil
			}
			return err
		},
	}.live(ctx, seen)
}

func seePolicies(ctx context.Context, clients *Clients, seen Seen) error {
	name := aws.String("go/wine")
	_, err := clients.ecr.GetLifecyclePolicy(ctx, &ecr.GetLifecyclePolicyInput{RepositoryName: name})
	seen["no lifecycle policy"] = isA[*ecrtypes.LifecyclePolicyNotFoundException](err)
	_, err = clients.ecr.GetRepositoryPolicy(ctx, &ecr.GetRepositoryPolicyInput{RepositoryName: name})
	seen["no repository policy"] = isA[*ecrtypes.RepositoryPolicyNotFoundException](err)
	put := &ecr.PutLifecyclePolicyInput{RepositoryName: name, LifecyclePolicyText: aws.String(lifecycle)}
	if _, err := clients.ecr.PutLifecyclePolicy(ctx, put); err != nil {
		return err
	}
	found, err := clients.ecr.GetLifecyclePolicy(ctx, &ecr.GetLifecyclePolicyInput{RepositoryName: name})
	if err != nil {
		return err
	}
	seen["lifecycle policy"] = json.RawMessage(aws.ToString(found.LifecyclePolicyText))
	return nil
}

func liveBucket(ctx context.Context, clients *Clients, _ Given, seen Seen) error {
	name, key := aws.String("go-artifacts"), aws.String("model/weights.bin")
	labels := []s3types.Tag{{Key: aws.String("team"), Value: aws.String("pricing")}}
	return Resource{
		Wanted: Attributes{"Tags": map[string]any{"team": "pricing"}, "Versioning": "Enabled", "Object": "content"},
		Create: func(ctx context.Context) error {
			_, err := clients.s3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: name})
			_, other := clients.s3.PutBucketTagging(ctx, &s3.PutBucketTaggingInput{
				Bucket: name, Tagging: &s3types.Tagging{TagSet: labels},
			})
			_, third := clients.s3.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
				Bucket:                  name,
				VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusEnabled},
			})
			_, fourth := clients.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: name, Key: key, Body: strings.NewReader("content")})
			return errors.Join(err, other, third, fourth)
		},
		Read: func(ctx context.Context) (Attributes, error) {
			return readBucket(ctx, clients, name, key)
		},
		Delete: func(ctx context.Context) error {
			return deleteBucket(ctx, clients, name)
		},
	}.live(ctx, seen)
}

func readBucket(ctx context.Context, clients *Clients, name, key *string) (Attributes, error) {
	_, err := clients.s3.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: name})
	if isA[*s3types.NotFound](err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	tagging, err := clients.s3.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: name})
	if err != nil {
		return nil, err
	}
	versioning, err := clients.s3.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: name})
	if err != nil {
		return nil, err
	}
	object, err := clients.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: name, Key: key})
	if err != nil {
		return nil, err
	}
	defer object.Body.Close()
	content := make([]byte, aws.ToInt64(object.ContentLength))
	if _, err := object.Body.Read(content); err != nil && err.Error() != "EOF" {
		return nil, err
	}
	read := attributes(map[string]any{"Tags": tagging.TagSet, "Versioning": versioning.Status, "Object": string(content)})
	return read, nil
}

func deleteBucket(ctx context.Context, clients *Clients, name *string) error {
	pages := s3.NewListObjectVersionsPaginator(clients.s3, &s3.ListObjectVersionsInput{Bucket: name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if isRefusal(err, "NoSuchBucket", "") {
			return nil
		}
		if err != nil {
			return err
		}
		for _, one := range page.Versions {
			input := &s3.DeleteObjectInput{Bucket: name, Key: one.Key, VersionId: one.VersionId}
			if _, err := clients.s3.DeleteObject(ctx, input); err != nil {
				return err
			}
		}
	}
	_, err := clients.s3.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: name})
	return err
}

func alarmRequest(name, endpoint string) *cloudwatch.PutMetricAlarmInput {
	dimension := func(name, value string) cloudwatchtypes.Dimension {
		return cloudwatchtypes.Dimension{Name: aws.String(name), Value: aws.String(value)}
	}
	return &cloudwatch.PutMetricAlarmInput{
		AlarmName:          aws.String(name),
		AlarmDescription:   aws.String("answers that are errors"),
		ActionsEnabled:     aws.Bool(true),
		Namespace:          aws.String("AWS/SageMaker"),
		MetricName:         aws.String("Invocation5XXErrors"),
		Dimensions:         []cloudwatchtypes.Dimension{dimension("EndpointName", endpoint), dimension("VariantName", "AllTraffic")},
		Statistic:          cloudwatchtypes.StatisticSum,
		Period:             aws.Int32(60),
		EvaluationPeriods:  aws.Int32(2),
		DatapointsToAlarm:  aws.Int32(1),
		Threshold:          aws.Float64(2.5),
		ComparisonOperator: cloudwatchtypes.ComparisonOperatorGreaterThanThreshold,
		TreatMissingData:   aws.String("notBreaching"),
		Tags:               []cloudwatchtypes.Tag{{Key: aws.String("team"), Value: aws.String("pricing")}},
	}
}

func (clients *Clients) alarm(request *cloudwatch.PutMetricAlarmInput) Resource {
	names := []string{aws.ToString(request.AlarmName)}
	return Resource{
		Wanted: attributes(request),
		Create: func(ctx context.Context) error {
			_, err := clients.alarms.PutMetricAlarm(ctx, request)
			return err
		},
		Read: func(ctx context.Context) (Attributes, error) {
			found, err := clients.alarms.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: names})
			if err != nil || len(found.MetricAlarms) == 0 {
				return nil, err
			}
			one := found.MetricAlarms[0]
			listed, err := clients.alarms.ListTagsForResource(ctx, &cloudwatch.ListTagsForResourceInput{ResourceARN: one.AlarmArn})
			if err != nil {
				return nil, fmt.Errorf("tags: %w", err)
			}
			labels := map[string]string{}
			for _, pair := range listed.Tags {
				labels[aws.ToString(pair.Key)] = aws.ToString(pair.Value)
			}
			return observed(request, one, labels), nil
		},
		Delete: func(ctx context.Context) error {
			_, err := clients.alarms.DeleteAlarms(ctx, &cloudwatch.DeleteAlarmsInput{AlarmNames: names})
			if isA[*cloudwatchtypes.ResourceNotFound](err) {
				return nil
			}
			return err
		},
	}
}

func liveAlarm(ctx context.Context, clients *Clients, _ Given, seen Seen) error {
	return clients.alarm(alarmRequest("go-alarm", "go-nobody")).live(ctx, seen)
}
