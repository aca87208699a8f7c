package main

import (
	"context"
	"errors"
	"fmt"
	"sort"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
)

// changeTags does what a changed `tags` block does: takes away what is no longer wanted, then sets what is.
func changeTags(ctx context.Context, clients *Clients, given Given, seen Seen) error {
	request := simpleModel(given, "go-tags")
	request.Tags = tags("team", "pricing", "stage", "test")
	model := clients.model(request)
	if err := model.Create(ctx); err != nil {
		return err
	}
	arn := aws.String(fmt.Sprintf("arn:aws:sagemaker:us-east-1:%s:model/go-tags", given.Account))
	request.Tags = tags("team", "risk", "owner", "")
	model.Wanted = attributes(request)
	_, err := clients.sagemaker.DeleteTags(ctx, &sagemaker.DeleteTagsInput{ResourceArn: arn, TagKeys: []string{"stage"}})
	if err != nil {
		return err
	}
	if _, err := clients.sagemaker.AddTags(ctx, &sagemaker.AddTagsInput{ResourceArn: arn, Tags: request.Tags}); err != nil {
		return err
	}
	if seen["tags"], err = clients.listTags(ctx, arn); err != nil {
		return err
	}
	many := []string{}
	for number := range 45 {
		many = append(many, fmt.Sprintf("key-%02d", number), "value")
	}
	if _, err := clients.sagemaker.AddTags(ctx, &sagemaker.AddTagsInput{ResourceArn: arn, Tags: tags(many...)}); err != nil {
		return err
	}
	pages := sagemaker.NewListTagsPaginator(clients.sagemaker, &sagemaker.ListTagsInput{ResourceArn: arn})
	counts := []int{}
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		counts = append(counts, len(page.Tags))
	}
	seen["pages"] = counts
	return model.Delete(ctx)
}

// listPages makes as many models as three pages hold, and lists them by the SDK's paginator.
func listPages(ctx context.Context, clients *Clients, given Given, seen Seen) error {
	made := []Resource{}
	for number := range 23 {
		made = append(made, clients.model(simpleModel(given, fmt.Sprintf("go-page-%02d", number))))
	}
	if err := createAll(ctx, made...); err != nil {
		return err
	}
	pages := sagemaker.NewListModelsPaginator(clients.sagemaker, &sagemaker.ListModelsInput{
		NameContains: aws.String("go-page"), SortBy: types.ModelSortKeyName, SortOrder: types.OrderKeyAscending,
	})
	counts, names := []int{}, []string{}
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		counts = append(counts, len(page.Models))
		for _, one := range page.Models {
			names = append(names, aws.ToString(one.ModelName))
		}
	}
	seen["pages"], seen["sorted"], seen["models"] = counts, sort.StringsAreSorted(names), len(names)
	return deleteAll(ctx, made...)
}

// failCreation makes an endpoint whose container is never well, as Terraform would meet it: tainted, then replaced.
func failCreation(ctx context.Context, clients *Clients, given Given, seen Seen) error {
	stack := clients.stack(given, "go-ill")
	if err := createAll(ctx, stack[:2]...); err != nil {
		return err
	}
	if err := clients.script(ctx, Rule{Kind: "ping-failure", Operation: "CreateEndpoint", Times: 1}); err != nil {
		return err
	}
	seen["waiter"] = tell(stack[2].Create(ctx))
	found, err := clients.describeEndpoint(ctx, aws.String("go-ill"))
	if err != nil {
		return err
	}
	seen["status"], seen["reason"] = found.EndpointStatus, aws.ToString(found.FailureReason)
	seen["update"] = tell(stack[2].Update(ctx))
	if err := stack[2].Delete(ctx); err != nil {
		return err
	}
	if err := stack[2].Create(ctx); err != nil {
		return fmt.Errorf("replace: %w", err)
	}
	planned, err := stack[2].plan(ctx)
	seen["plan after replacement"] = planned
	return errors.Join(err, deleteAll(ctx, stack...))
}

// takeUpdateBack is what https://github.com/hashicorp/terraform-provider-aws/issues/48997 tells of.
func takeUpdateBack(ctx context.Context, clients *Clients, given Given, seen Seen) error {
	stack := clients.stack(given, "go-back")
	stack = append(stack, clients.configuration(simpleConfiguration("go-back-2", "go-back")))
	if err := createAll(ctx, stack...); err != nil {
		return err
	}
	if err := clients.script(ctx, Rule{Kind: "rollback-empty-reason", Operation: "UpdateEndpoint", Times: 1}); err != nil {
		return err
	}
	changed := clients.endpoint(simpleEndpoint("go-back", "go-back-2"))
	seen["waiter"] = tell(changed.Update(ctx))
	planned, err := changed.plan(ctx)
	if err != nil {
		return err
	}
	seen["plan after update"] = planned
	if err := changed.Update(ctx); err != nil {
		return err
	}
	if planned, err = changed.plan(ctx); err != nil {
		return err
	}
	seen["plan after second update"] = planned
	return deleteAll(ctx, stack[0], stack[1], stack[3], changed)
}

// alarmUpdate updates with a canary while the alarm that watches it is in ALARM.
func alarmUpdate(ctx context.Context, clients *Clients, given Given, seen Seen) error {
	stack := clients.stack(given, "go-alarmed")
	stack = append(stack, clients.configuration(simpleConfiguration("go-alarmed-2", "go-alarmed")))
	stack = append(stack, clients.alarm(alarmRequest("go-alarmed", "go-alarmed")))
	if err := createAll(ctx, stack...); err != nil {
		return err
	}
	if _, err := clients.alarms.SetAlarmState(ctx, &cloudwatch.SetAlarmStateInput{
		AlarmName: aws.String("go-alarmed"), StateValue: "ALARM", StateReason: aws.String("to see what follows"),
	}); err != nil {
		return err
	}
	request := simpleEndpoint("go-alarmed", "go-alarmed-2")
	request.DeploymentConfig = canary("go-alarmed")
	changed := clients.endpoint(request)
	seen["waiter"] = tell(changed.Update(ctx))
	found, err := clients.describeEndpoint(ctx, request.EndpointName)
	if err != nil {
		return err
	}
	seen["configuration"], seen["reason"] = aws.ToString(found.EndpointConfigName), aws.ToString(found.FailureReason)
	return deleteAll(ctx, stack[0], stack[1], stack[3], stack[4], changed)
}

// missEndpoint finds what somebody else has deleted absent, and makes it again.
func missEndpoint(ctx context.Context, clients *Clients, given Given, seen Seen) error {
	stack := clients.stack(given, "go-gone")
	if err := createAll(ctx, stack...); err != nil {
		return err
	}
	endpoint := stack[2]
	if err := endpoint.Delete(ctx); err != nil {
		return err
	}
	_, err := clients.describeEndpoint(ctx, aws.String("go-gone"))
	seen["told"] = tell(err)
	planned, err := endpoint.plan(ctx)
	if err != nil {
		return err
	}
	seen["plan"] = planned
	if err := endpoint.Create(ctx); err != nil {
		return err
	}
	if planned, err = endpoint.plan(ctx); err != nil {
		return err
	}
	seen["plan after creation"] = planned
	return deleteAll(ctx, stack...)
}

// beRefused collects the words of refusals that a provider branches on.
func beRefused(ctx context.Context, clients *Clients, given Given, seen Seen) error {
	none, stack := aws.String("go-none"), clients.stack(given, "go-refused")
	if err := createAll(ctx, stack...); err != nil {
		return err
	}
	calls := map[string]func() error{
		"describe model": func() error {
			_, err := clients.sagemaker.DescribeModel(ctx, &sagemaker.DescribeModelInput{ModelName: none})
			return err
		},
		"describe configuration": func() error {
			_, err := clients.sagemaker.DescribeEndpointConfig(ctx, &sagemaker.DescribeEndpointConfigInput{EndpointConfigName: none})
			return err
		},
		"describe endpoint": func() error {
			_, err := clients.describeEndpoint(ctx, none)
			return err
		},
		"delete endpoint": func() error {
			_, err := clients.sagemaker.DeleteEndpoint(ctx, &sagemaker.DeleteEndpointInput{EndpointName: none})
			return err
		},
		"tags of nothing": func() error {
			arn := aws.String(fmt.Sprintf("arn:aws:sagemaker:us-east-1:%s:model/go-none", given.Account))
			_, err := clients.listTags(ctx, arn)
			return err
		},
		"existing model": func() error { return stack[0].Create(ctx) },
		"illegal name":   func() error { return clients.model(simpleModel(given, "my_first_model")).Create(ctx) },
		"quota": func() error {
			request := simpleConfiguration("go-large", "go-refused")
			request.ProductionVariants[0].InstanceType = types.ProductionVariantInstanceTypeMlP4d24xlarge
			large := clients.configuration(request)
			err := clients.endpoint(simpleEndpoint("go-large", "go-large"))
			return errors.Join(large.Create(ctx), err.Create(ctx), large.Delete(ctx))
		},
	}
	for name, call := range calls {
		err := call()
		seen[name] = tell(err)
		if name == "quota" {
			seen["quota is typed"] = isA[*types.ResourceLimitExceeded](err)
		}
	}
	seen["an update at work"] = clients.disturb(ctx)
	return deleteAll(ctx, stack...)
}

// disturb changes an endpoint that is being changed.
func (clients *Clients) disturb(ctx context.Context) string {
	request := &sagemaker.UpdateEndpointInput{EndpointName: aws.String("go-refused"), EndpointConfigName: aws.String("go-refused")}
	if _, err := clients.sagemaker.UpdateEndpoint(ctx, request); err != nil {
		return "not at work: " + tell(err)
	}
	_, err := clients.sagemaker.DeleteEndpoint(ctx, &sagemaker.DeleteEndpointInput{EndpointName: request.EndpointName})
	if waited := clients.waitInService(ctx, request.EndpointName); waited != nil {
		return tell(waited)
	}
	return tell(err)
}
