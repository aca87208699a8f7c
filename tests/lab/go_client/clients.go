package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
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

const (
	backoff   = 20 * time.Millisecond
	attempts  = 5
	firstLook = 20 * time.Millisecond
	lastLook  = 100 * time.Millisecond
)

// Clients are what a provider has, set up by the environment alone but for how long they rest.
type Clients struct {
	sagemaker *sagemaker.Client
	runtime   *sagemakerruntime.Client
	iam       *iam.Client
	sts       *sts.Client
	s3        *s3.Client
	ecr       *ecr.Client
	alarms    *cloudwatch.Client
	scaling   *applicationautoscaling.Client
}

func openClients(ctx context.Context) (*Clients, error) {
	settings, err := config.LoadDefaultConfig(ctx, config.WithRetryer(func() aws.Retryer {
		return retry.NewStandard(func(options *retry.StandardOptions) {
			options.MaxAttempts, options.MaxBackoff = attempts, backoff
		})
	}))
	if err != nil {
		return nil, err
	}
	return &Clients{
		sagemaker: sagemaker.NewFromConfig(settings),
		runtime:   sagemakerruntime.NewFromConfig(settings),
		iam:       iam.NewFromConfig(settings),
		sts:       sts.NewFromConfig(settings),
		s3:        s3.NewFromConfig(settings),
		ecr:       ecr.NewFromConfig(settings),
		alarms:    cloudwatch.NewFromConfig(settings),
		scaling:   applicationautoscaling.NewFromConfig(settings),
	}, nil
}

// Rule is one of the sandbox's fault rules.
type Rule struct {
	Kind      string   `json:"kind"`
	Service   string   `json:"service,omitempty"`
	Operation string   `json:"operation,omitempty"`
	Times     int      `json:"times"`
	Seconds   float64  `json:"seconds,omitempty"`
	Resources []string `json:"resources,omitempty"`
}

// script has the sandbox do these things wrong, and no others.
func (clients *Clients) script(ctx context.Context, rules ...Rule) error {
	body, err := json.Marshal(map[string]any{"rules": append([]Rule{}, rules...)})
	if err != nil {
		return err
	}
	address := os.Getenv("AWS_ENDPOINT_URL") + "/_sandbox/faults"
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode >= 300 {
		return fmt.Errorf("the script was answered with %s", answer.Status)
	}
	return nil
}

// countAttempts says how often a call was sent until it was answered.
func countAttempts(metadata middleware.Metadata) int {
	results, _ := retry.GetAttemptResults(metadata)
	return len(results.Results)
}

// tell is the code and the words of an error of AWS's; what is none is told as it is.
func tell(err error) string {
	var api smithy.APIError
	if err == nil {
		return ""
	}
	if errors.As(err, &api) {
		return api.ErrorCode() + ": " + api.ErrorMessage()
	}
	return err.Error()
}

// isA is whether an error is of one of an SDK's own types.
func isA[Wanted error](err error) bool {
	var wanted Wanted
	return errors.As(err, &wanted)
}
