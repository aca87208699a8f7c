package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemakerruntime"
	runtimetypes "github.com/aws/aws-sdk-go-v2/service/sagemakerruntime/types"
)

func readPrediction(body []byte) (string, error) {
	var answer struct{ Predictions []string }
	if err := json.Unmarshal(body, &answer); err != nil || len(answer.Predictions) != 1 {
		return "", errors.Join(err, errors.New("no prediction in "+string(body)))
	}
	return answer.Predictions[0], nil
}

func invoke(ctx context.Context, clients *Clients, given Given, seen Seen) error {
	stack := clients.stack(given, "go-invoked")
	if err := createAll(ctx, stack...); err != nil {
		return err
	}
	request := &sagemakerruntime.InvokeEndpointInput{
		EndpointName: aws.String("go-invoked"), ContentType: aws.String("application/json"), Body: []byte("{}"),
		TargetVariant: aws.String("AllTraffic"), InferenceId: aws.String("one"), Accept: aws.String("application/json"),
	}
	out, err := clients.runtime.InvokeEndpoint(ctx, request)
	if err != nil {
		return err
	}
	if seen["answer"], err = readPrediction(out.Body); err != nil {
		return err
	}
	seen["variant"], seen["type"] = aws.ToString(out.InvokedProductionVariant), aws.ToString(out.ContentType)
	request.Body = []byte("no JSON")
	_, err = clients.runtime.InvokeEndpoint(ctx, request)
	var failed *runtimetypes.ModelError
	if errors.As(err, &failed) {
		seen["model error"] = map[string]any{
			"status": aws.ToInt32(failed.OriginalStatusCode), "stream": aws.ToString(failed.LogStreamArn), "told": failed.ErrorMessage(),
		}
	}
	request.TargetVariant = aws.String("None")
	_, err = clients.runtime.InvokeEndpoint(ctx, request)
	seen["unknown variant is typed"] = isA[*runtimetypes.ValidationError](err)
	request.EndpointName = aws.String("go-none")
	_, err = clients.runtime.InvokeEndpoint(ctx, request)
	seen["unknown endpoint is typed"], seen["unknown endpoint"] = isA[*runtimetypes.ValidationError](err), tell(err)
	if err := clients.script(ctx, Rule{Kind: "throttle", Operation: "InvokeEndpoint", Times: 2}); err != nil {
		return err
	}
	if seen["answer after throttling"], err = clients.ask(ctx, "go-invoked"); err != nil {
		return err
	}
	return deleteAll(ctx, stack...)
}

func invokeStream(ctx context.Context, clients *Clients, given Given, seen Seen) error {
	stack := clients.stack(given, "go-streamed")
	if err := createAll(ctx, stack...); err != nil {
		return err
	}
	out, err := clients.runtime.InvokeEndpointWithResponseStream(ctx, &sagemakerruntime.InvokeEndpointWithResponseStreamInput{
		EndpointName: aws.String("go-streamed"), ContentType: aws.String("application/json"), Body: []byte("{}"),
	})
	if err != nil {
		return err
	}
	stream, content := out.GetStream(), []byte{}
	for event := range stream.Events() {
		if part, ok := event.(*runtimetypes.ResponseStreamMemberPayloadPart); ok {
			content = append(content, part.Value.Bytes...)
		}
	}
	if err := errors.Join(stream.Err(), stream.Close()); err != nil {
		return err
	}
	if seen["answer"], err = readPrediction(content); err != nil {
		return err
	}
	seen["variant"], seen["type"] = aws.ToString(out.InvokedProductionVariant), aws.ToString(out.ContentType)
	return deleteAll(ctx, stack...)
}

func invokeAsynchronously(ctx context.Context, clients *Clients, given Given, seen Seen) error {
	request := simpleConfiguration("go-async", "go-async")
	request.AsyncInferenceConfig = &types.AsyncInferenceConfig{OutputConfig: &types.AsyncInferenceOutputConfig{
		S3OutputPath: aws.String("s3://" + given.Bucket + "/go-async/"),
	}}
	stack := clients.stack(given, "go-async")
	stack[1] = clients.configuration(request)
	if err := createAll(ctx, stack...); err != nil {
		return err
	}
	put := &s3.PutObjectInput{
		Bucket: aws.String(given.Bucket), Key: aws.String("go-async.json"), Body: strings.NewReader("{}"),
	}
	if _, err := clients.s3.PutObject(ctx, put); err != nil {
		return err
	}
	out, err := clients.runtime.InvokeEndpointAsync(ctx, &sagemakerruntime.InvokeEndpointAsyncInput{
		EndpointName: aws.String("go-async"), ContentType: aws.String("application/json"),
		InputLocation: aws.String("s3://" + given.Bucket + "/go-async.json"),
	})
	if err != nil {
		return err
	}
	seen["has inference id"] = aws.ToString(out.InferenceId) != ""
	key := strings.TrimPrefix(aws.ToString(out.OutputLocation), "s3://"+given.Bucket+"/")
	waiter := s3.NewObjectExistsWaiter(clients.s3, func(options *s3.ObjectExistsWaiterOptions) {
		options.MinDelay, options.MaxDelay = firstLook, lastLook
	})
	found, err := waiter.WaitForOutput(ctx, &s3.HeadObjectInput{Bucket: put.Bucket, Key: aws.String(key)}, 10*time.Second)
	if err != nil {
		return err
	}
	seen["bytes"] = aws.ToInt64(found.ContentLength) > 0
	object, err := clients.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: put.Bucket, Key: aws.String(key)})
	if err != nil {
		return err
	}
	content, err := io.ReadAll(object.Body)
	if err := errors.Join(err, object.Body.Close()); err != nil {
		return err
	}
	if seen["answer"], err = readPrediction(content); err != nil {
		return err
	}
	return deleteAll(ctx, stack...)
}
