// Command terraform-provider-aws stands in for HashiCorp's AWS provider in tests: the same resource types with the same
// attributes, out of schema/, and none of its code. It validates and plans; what is applied goes to STAND_IN_BACKEND.
//
// Terraform starts it by itself, dozens of times in a run of tests. Started with `-stay FILE`, it serves everybody until SIGINT,
// and writes the variable into the file that has Terraform and OpenTofu ask it instead.
package main

import (
	"flag"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tfprotov5/tf5server"
)

// Without a registry's name, so that it is the provider of that name for both tools, each of which has its own registry.
const address = "hashicorp/aws"

func main() {
	stay := flag.String("stay", "", "serve until SIGINT, and write TF_REATTACH_PROVIDERS='…' to this file")
	flag.Parse()
	if err := serve(*stay); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(file string) error {
	// A run of tests starts the program dozens of times, and needs the schema once.
	provider := &provider{schema: sync.OnceValue(mustLoadSchema), backend: backend{url: os.Getenv("STAND_IN_BACKEND")}}
	var options []tf5server.ServeOpt
	if file != "" {
		options = append(options,
			tf5server.WithManagedDebug(),
			tf5server.WithManagedDebugEnvFilePath(file),
			tf5server.WithManagedDebugReattachConfigTimeout(time.Minute),
		)
	}
	return tf5server.Serve(address, func() tfprotov5.ProviderServer { return provider }, options...)
}
