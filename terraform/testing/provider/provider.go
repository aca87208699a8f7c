package main

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// A provider answers Terraform's calls. Those that no configuration of ours leads to are the embedded interface's, which is nil.
type provider struct {
	tfprotov5.ProviderServer
	schema  func() *tfprotov5.GetProviderSchemaResponse
	backend backend
}

func (p *provider) GetMetadata(context.Context, *tfprotov5.GetMetadataRequest) (*tfprotov5.GetMetadataResponse, error) {
	answer := &tfprotov5.GetMetadataResponse{ServerCapabilities: p.schema().ServerCapabilities}
	for _, name := range sortedKeys(p.schema().ResourceSchemas) {
		answer.Resources = append(answer.Resources, tfprotov5.ResourceMetadata{TypeName: name})
	}
	for _, name := range sortedKeys(p.schema().DataSourceSchemas) {
		answer.DataSources = append(answer.DataSources, tfprotov5.DataSourceMetadata{TypeName: name})
	}
	return answer, nil
}

func (p *provider) GetProviderSchema(context.Context, *tfprotov5.GetProviderSchemaRequest) (*tfprotov5.GetProviderSchemaResponse, error) {
	return p.schema(), nil
}

func (p *provider) GetResourceIdentitySchemas(context.Context, *tfprotov5.GetResourceIdentitySchemasRequest) (*tfprotov5.GetResourceIdentitySchemasResponse, error) {
	return &tfprotov5.GetResourceIdentitySchemasResponse{}, nil
}

func (p *provider) PrepareProviderConfig(_ context.Context, request *tfprotov5.PrepareProviderConfigRequest) (*tfprotov5.PrepareProviderConfigResponse, error) {
	return &tfprotov5.PrepareProviderConfigResponse{PreparedConfig: request.Config}, nil
}

func (p *provider) ConfigureProvider(context.Context, *tfprotov5.ConfigureProviderRequest) (*tfprotov5.ConfigureProviderResponse, error) {
	return &tfprotov5.ConfigureProviderResponse{}, nil
}

func (p *provider) StopProvider(context.Context, *tfprotov5.StopProviderRequest) (*tfprotov5.StopProviderResponse, error) {
	return &tfprotov5.StopProviderResponse{}, nil
}

func (p *provider) ValidateResourceTypeConfig(context.Context, *tfprotov5.ValidateResourceTypeConfigRequest) (*tfprotov5.ValidateResourceTypeConfigResponse, error) {
	return &tfprotov5.ValidateResourceTypeConfigResponse{}, nil
}

func (p *provider) ValidateDataSourceConfig(context.Context, *tfprotov5.ValidateDataSourceConfigRequest) (*tfprotov5.ValidateDataSourceConfigResponse, error) {
	return &tfprotov5.ValidateDataSourceConfigResponse{}, nil
}

func (p *provider) UpgradeResourceState(_ context.Context, request *tfprotov5.UpgradeResourceStateRequest) (*tfprotov5.UpgradeResourceStateResponse, error) {
	kind := p.schema().ResourceSchemas[request.TypeName].ValueType()
	state, err := request.RawState.Unmarshal(kind)
	if err != nil {
		return &tfprotov5.UpgradeResourceStateResponse{Diagnostics: failed(err)}, nil
	}
	packed, err := tfprotov5.NewDynamicValue(kind, state)
	return &tfprotov5.UpgradeResourceStateResponse{UpgradedState: &packed, Diagnostics: failed(err)}, nil
}

func (p *provider) PlanResourceChange(_ context.Context, request *tfprotov5.PlanResourceChangeRequest) (*tfprotov5.PlanResourceChangeResponse, error) {
	schema := p.schema().ResourceSchemas[request.TypeName]
	proposed, err := request.ProposedNewState.Unmarshal(schema.ValueType())
	if err != nil {
		return &tfprotov5.PlanResourceChangeResponse{Diagnostics: failed(err)}, nil
	}
	prior, err := request.PriorState.Unmarshal(schema.ValueType())
	if err != nil {
		return &tfprotov5.PlanResourceChangeResponse{Diagnostics: failed(err)}, nil
	}
	planned, err := planBlock(schema.Block, proposed, prior.IsNull())
	if err != nil {
		return &tfprotov5.PlanResourceChangeResponse{Diagnostics: failed(err)}, nil
	}
	packed, err := tfprotov5.NewDynamicValue(schema.ValueType(), planned)
	answer := &tfprotov5.PlanResourceChangeResponse{PlannedState: &packed, UnsafeToUseLegacyTypeSystem: true, Diagnostics: failed(err)}
	if p.backend.url == "" || planned.IsNull() {
		return answer, nil
	}
	said, err := p.backend.ask(call{Action: "plan", Type: request.TypeName}, schema.ValueType(), request.PriorState, &packed)
	for _, name := range said.Replace {
		answer.RequiresReplace = append(answer.RequiresReplace, tftypes.NewAttributePath().WithAttributeName(name))
	}
	answer.Diagnostics = append(answer.Diagnostics, failed(err)...)
	return answer, nil
}

func (p *provider) ApplyResourceChange(_ context.Context, request *tfprotov5.ApplyResourceChangeRequest) (*tfprotov5.ApplyResourceChangeResponse, error) {
	kind := p.schema().ResourceSchemas[request.TypeName].ValueType()
	// The configuration holds what is only written; the plan holds what was computed before.
	said, err := p.backend.ask(call{Action: "apply", Type: request.TypeName}, kind, request.PriorState, request.PlannedState, request.Config)
	state := request.PriorState
	if err == nil {
		state, err = said.pack(kind)
	}
	return &tfprotov5.ApplyResourceChangeResponse{NewState: state, UnsafeToUseLegacyTypeSystem: true, Diagnostics: failed(err)}, nil
}

func (p *provider) ReadResource(_ context.Context, request *tfprotov5.ReadResourceRequest) (*tfprotov5.ReadResourceResponse, error) {
	kind := p.schema().ResourceSchemas[request.TypeName].ValueType()
	said, err := p.backend.ask(call{Action: "read", Type: request.TypeName}, kind, request.CurrentState)
	state := request.CurrentState
	if err == nil {
		state, err = said.pack(kind)
	}
	return &tfprotov5.ReadResourceResponse{NewState: state, Diagnostics: failed(err)}, nil
}

func (p *provider) ReadDataSource(_ context.Context, request *tfprotov5.ReadDataSourceRequest) (*tfprotov5.ReadDataSourceResponse, error) {
	kind := p.schema().DataSourceSchemas[request.TypeName].ValueType()
	said, err := p.backend.ask(call{Action: "look", Type: request.TypeName}, kind, request.Config)
	if err != nil {
		return &tfprotov5.ReadDataSourceResponse{State: request.Config, Diagnostics: failed(err)}, nil
	}
	state, err := said.pack(kind)
	return &tfprotov5.ReadDataSourceResponse{State: state, Diagnostics: failed(err)}, nil
}

func failed(err error) []*tfprotov5.Diagnostic {
	if err == nil {
		return nil
	}
	return []*tfprotov5.Diagnostic{{
		Severity: tfprotov5.DiagnosticSeverityError, Summary: "The stand-in for the AWS provider failed", Detail: fmt.Sprint(err),
	}}
}
