package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemakerruntime"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
)

func beThrottled(ctx context.Context, clients *Clients, given Given, seen Seen) error {
	model := clients.model(simpleModel(given, "go-throttled"))
	if err := clients.script(ctx, Rule{Kind: "throttle", Operation: "CreateModel", Times: 3}); err != nil {
		return err
	}
	made, err := clients.sagemaker.CreateModel(ctx, simpleModel(given, "go-throttled"))
	if err != nil {
		return err
	}
	seen["attempts"] = countAttempts(made.ResultMetadata)
	request, _ := awsmiddleware.GetRequestIDMetadata(made.ResultMetadata)
	seen["request id"] = request
	return model.Delete(ctx)
}

func beThrottledForGood(ctx context.Context, clients *Clients, _ Given, seen Seen) error {
	if err := clients.script(ctx, Rule{Kind: "throttle", Operation: "ListModels"}); err != nil {
		return err
	}
	_, err := clients.sagemaker.ListModels(ctx, &sagemaker.ListModelsInput{})
	seen["told"] = tell(err)
	var exhausted *retry.MaxAttemptsError
	if errors.As(err, &exhausted) {
		seen["attempts"] = exhausted.Attempt
	}
	var answer *awshttp.ResponseError
	if errors.As(err, &answer) {
		seen["status"], seen["has request id"] = answer.HTTPStatusCode(), answer.ServiceRequestID() != ""
	}
	return nil
}

// beDenied is refused for its credentials, which asking again does not mend.
func beDenied(ctx context.Context, clients *Clients, _ Given, seen Seen) error {
	for _, kind := range []string{"expired-token", "access-denied"} {
		if err := clients.script(ctx, Rule{Kind: kind, Operation: "ListModels", Times: 1}); err != nil {
			return err
		}
		_, err := clients.sagemaker.ListModels(ctx, &sagemaker.ListModelsInput{})
		var api smithy.APIError
		if !errors.As(err, &api) {
			return fmt.Errorf("%s was answered with %w", kind, err)
		}
		seen[kind] = api.ErrorCode()
	}
	return nil
}

// call is one of a service, whose metadata tell how often it was sent.
type call func() (middleware.Metadata, error)

func neighbourCalls(ctx context.Context, clients *Clients) map[string]call {
	return map[string]call{
		"sts": func() (middleware.Metadata, error) {
			out, err := clients.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
			return metadata(out, err, func() middleware.Metadata { return out.ResultMetadata })
		},
		"iam": func() (middleware.Metadata, error) {
			out, err := clients.iam.ListRoles(ctx, &iam.ListRolesInput{})
			return metadata(out, err, func() middleware.Metadata { return out.ResultMetadata })
		},
		"s3": func() (middleware.Metadata, error) {
			out, err := clients.s3.ListBuckets(ctx, &s3.ListBucketsInput{})
			return metadata(out, err, func() middleware.Metadata { return out.ResultMetadata })
		},
		"ecr": func() (middleware.Metadata, error) {
			out, err := clients.ecr.DescribeRepositories(ctx, &ecr.DescribeRepositoriesInput{})
			return metadata(out, err, func() middleware.Metadata { return out.ResultMetadata })
		},
		"monitoring": func() (middleware.Metadata, error) {
			out, err := clients.alarms.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{})
			return metadata(out, err, func() middleware.Metadata { return out.ResultMetadata })
		},
		"application-autoscaling": func() (middleware.Metadata, error) {
			out, err := clients.scaling.DescribeScalableTargets(ctx, &applicationautoscaling.DescribeScalableTargetsInput{
				ServiceNamespace: "sagemaker",
			})
			return metadata(out, err, func() middleware.Metadata { return out.ResultMetadata })
		},
	}
}

func metadata(_ any, err error, read func() middleware.Metadata) (middleware.Metadata, error) {
	if err != nil {
		return middleware.Metadata{}, err
	}
	return read(), nil
}

// throttleNeighbours throttles each service twice and then for good: every protocol has its own way to say so.
func throttleNeighbours(ctx context.Context, clients *Clients, _ Given, seen Seen) error {
	for service, call := range neighbourCalls(ctx, clients) {
		if err := clients.script(ctx, Rule{Kind: "throttle", Service: service, Times: 2}); err != nil {
			return err
		}
		found, err := call()
		if err != nil {
			return fmt.Errorf("%s: %w", service, err)
		}
		request, _ := awsmiddleware.GetRequestIDMetadata(found)
		if err := clients.script(ctx, Rule{Kind: "throttle", Service: service}); err != nil {
			return err
		}
		_, err = call()
		seen[service] = map[string]any{"attempts": countAttempts(found), "has request id": request != "", "told": tell(err)}
	}
	return nil
}

// meetInternalErrors is answered with 500 before and after effect, and loses a connection before.
func meetInternalErrors(ctx context.Context, clients *Clients, given Given, seen Seen) error {
	for _, kind := range []string{"error-before", "reset-before", "error-after"} {
		request := simpleConfiguration("go-500", "go-500")
		below, configuration := clients.model(simpleModel(given, "go-500")), clients.configuration(request)
		if err := below.Create(ctx); err != nil {
			return err
		}
		if err := clients.script(ctx, Rule{Kind: kind, Operation: "CreateEndpointConfig", Times: 1}); err != nil {
			return err
		}
		made, err := clients.sagemaker.CreateEndpointConfig(ctx, request)
		if err == nil {
			seen[kind] = countAttempts(made.ResultMetadata)
		} else {
			seen[kind] = tell(err)
		}
		if err := deleteAll(ctx, below, configuration); err != nil {
			return err
		}
	}
	return nil
}

// loseAnswer creates a model whose answer is lost: the SDK asks again, and is told that there is one.
func loseAnswer(ctx context.Context, clients *Clients, given Given, seen Seen) error {
	model := clients.model(simpleModel(given, "go-lost"))
	if err := clients.script(ctx, Rule{Kind: "reset-after", Operation: "CreateModel", Times: 1}); err != nil {
		return err
	}
	seen["told"] = tell(model.Create(ctx))
	planned, err := model.plan(ctx)
	seen["plan"] = planned
	return errors.Join(err, model.Delete(ctx))
}

// waitForRole makes a model with a role that SageMaker does not see yet, and tries again as long as that is the refusal.
func waitForRole(ctx context.Context, clients *Clients, given Given, seen Seen) error {
	if err := clients.script(ctx, Rule{Kind: "consistency", Resources: []string{"role"}, Seconds: 0.4}); err != nil {
		return err
	}
	role := clients.role(roleRequest("go-young"))
	if err := role.Create(ctx); err != nil {
		return err
	}
	request := simpleModel(given, "go-young")
	request.ExecutionRoleArn = aws.String(fmt.Sprintf("arn:aws:iam::%s:role/go-young", given.Account))
	model := clients.model(request)
	refusals, err := tryUntilSeen(ctx, model.Create)
	seen["refusals"] = refusals
	return errors.Join(err, model.Delete(ctx), role.Delete(ctx))
}

// waitForSight makes a configuration of a model, and an endpoint of it, that are not seen yet.
func waitForSight(ctx context.Context, clients *Clients, given Given, seen Seen) error {
	rule := Rule{Kind: "consistency", Resources: []string{"model", "endpoint-config", "endpoint", "tags"}, Seconds: 0.3}
	if err := clients.script(ctx, rule); err != nil {
		return err
	}
	stack := clients.stack(given, "go-late")
	if err := stack[0].Create(ctx); err != nil {
		return err
	}
	refusals, err := tryUntilSeen(ctx, stack[1].Create)
	if err != nil {
		return err
	}
	seen["configuration"] = refusals
	if refusals, err = tryUntilSeen(ctx, func(ctx context.Context) error {
		_, err := clients.sagemaker.CreateEndpoint(ctx, simpleEndpoint("go-late", "go-late"))
		return err
	}); err != nil {
		return err
	}
	seen["endpoint"] = refusals
	seen["waiter"] = tell(clients.waitInService(ctx, aws.String("go-late")))
	if refusals, err = tryUntilSeen(ctx, func(ctx context.Context) error {
		_, err := clients.describeEndpoint(ctx, aws.String("go-late"))
		return err
	}); err != nil {
		return err
	}
	seen["described"] = refusals
	if err := clients.waitInService(ctx, aws.String("go-late")); err != nil {
		return err
	}
	planned, err := stack[2].plan(ctx)
	seen["plan"] = planned
	return errors.Join(err, deleteAll(ctx, stack...))
}

// tryUntilSeen repeats what is refused with ValidationException; it says what the first refusal was.
func tryUntilSeen(ctx context.Context, try func(context.Context) error) (string, error) {
	first := ""
	for {
		err := try(ctx)
		if err == nil || !isRefusal(err, invalid, "") {
			return first, err
		}
		if first == "" {
			first = tell(err)
		}
		select {
		case <-ctx.Done():
			return first, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// ask is what an endpoint answers to a request.
func (clients *Clients) ask(ctx context.Context, name string) (string, error) {
	out, err := clients.runtime.InvokeEndpoint(ctx, &sagemakerruntime.InvokeEndpointInput{
		EndpointName: aws.String(name), ContentType: aws.String("application/json"), Body: []byte("{}"),
	})
	if err != nil {
		return "", err
	}
	return readPrediction(out.Body)
}
