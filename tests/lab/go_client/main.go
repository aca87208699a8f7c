// Does to a sandbox what Terraform's AWS provider does to AWS: makes resources, reads them back, plans again, changes them, deletes
// them, all by the AWS SDK for Go. Prints one line of JSON for each scenario: what it saw, and what ended it.
//
//	go_client '{"image": …, "role": …, "bucket": …}'     AWS_ENDPOINT_URL says where
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"
)

const limit = 60 * time.Second

// Given is what the sandbox has for the scenarios.
type Given struct {
	Image, Role, Bucket, Account string
}

// Seen is what a scenario saw, by what it is.
type Seen map[string]any

// Scenario leaves nothing behind; the names of its resources are its own.
type Scenario func(context.Context, *Clients, Given, Seen) error

var scenarios = []struct {
	name string
	run  Scenario
}{
	{"identity", seeIdentity},
	{"role", liveRole},
	{"repository", liveRepository},
	{"bucket", liveBucket},
	{"alarm", liveAlarm},
	{"model", liveModel},
	{"configuration", liveConfiguration},
	{"shadow configuration", liveShadowConfiguration},
	{"serverless configuration", liveServerlessConfiguration},
	{"endpoint", liveEndpoint},
	{"replacement", replaceModel},
	{"scaling", liveScaling},
	{"tags", changeTags},
	{"pages", listPages},
	{"failed creation", failCreation},
	{"update taken back", takeUpdateBack},
	{"update alarmed", alarmUpdate},
	{"deleted by someone", missEndpoint},
	{"throttling", beThrottled},
	{"throttled for good", beThrottledForGood},
	{"throttled neighbours", throttleNeighbours},
	{"denied", beDenied},
	{"internal errors", meetInternalErrors},
	{"lost answer", loseAnswer},
	{"young role", waitForRole},
	{"late sight", waitForSight},
	{"refusals", beRefused},
	{"invocation", invoke},
	{"stream", invokeStream},
	{"asynchronous", invokeAsynchronously},
}

func main() {
	var given Given
	if err := json.Unmarshal([]byte(os.Args[1]), &given); err != nil {
		panic(err)
	}
	out := json.NewEncoder(os.Stdout)
	for _, one := range scenarios {
		started, seen := time.Now(), Seen{}
		told := ""
		if err := play(one.run, given, seen); err != nil {
			told = err.Error()
		}
		if err := out.Encode(map[string]any{
			"scenario": one.name, "saw": seen, "error": told, "seconds": time.Since(started).Seconds(),
		}); err != nil {
			panic(err)
		}
	}
}

func play(run Scenario, given Given, seen Seen) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	clients, err := openClients(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if left := clients.script(ctx); left != nil && err == nil {
			err = left
		}
		if panicked := recover(); panicked != nil {
			err = fmt.Errorf("panic: %v", panicked)
		}
	}()
	return run(ctx, clients, given, seen)
}
