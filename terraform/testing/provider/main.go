// Command terraform-provider-aws stands in for HashiCorp's AWS provider in tests: the same resource types with the same
// attributes, out of schema/, and none of its code. It validates and plans; what is applied goes to STAND_IN_BACKEND.
package main

import (
	"fmt"
	"os"
	"sync"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tfprotov5/tf5server"
)

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve() error {
	// A run of tests starts the program dozens of times, and needs the schema once.
	provider := &provider{schema: sync.OnceValue(mustLoadSchema), backend: backend{url: os.Getenv("STAND_IN_BACKEND")}}
	return tf5server.Serve("registry.terraform.io/hashicorp/aws", func() tfprotov5.ProviderServer { return provider })
}
