package main

import (
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"sort"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

//go:embed schema
var files embed.FS

// A blockFile has the form of `terraform providers schema -json`.
type blockFile struct {
	Attributes map[string]attributeFile   `json:"attributes"`
	BlockTypes map[string]nestedBlockFile `json:"block_types"`
}

type attributeFile struct {
	Type      json.RawMessage `json:"type"`
	Required  bool            `json:"required"`
	Optional  bool            `json:"optional"`
	Computed  bool            `json:"computed"`
	WriteOnly bool            `json:"write_only"`
}

type nestedBlockFile struct {
	NestingMode string    `json:"nesting_mode"`
	Block       blockFile `json:"block"`
	MinItems    int64     `json:"min_items"`
	MaxItems    int64     `json:"max_items"`
}

var nestingModes = map[string]tfprotov5.SchemaNestedBlockNestingMode{
	"single": tfprotov5.SchemaNestedBlockNestingModeSingle,
	"list":   tfprotov5.SchemaNestedBlockNestingModeList,
	"set":    tfprotov5.SchemaNestedBlockNestingModeSet,
}

// mustLoadSchema is for what is part of the program: it cannot be at fault where the program was tested.
func mustLoadSchema() *tfprotov5.GetProviderSchemaResponse {
	schema, err := loadSchema()
	if err != nil {
		panic(err)
	}
	return schema
}

// loadSchema reads every type: a file is named after it, and a data source's begins with `data.`.
func loadSchema() (*tfprotov5.GetProviderSchemaResponse, error) {
	all := &tfprotov5.GetProviderSchemaResponse{
		ResourceSchemas:    map[string]*tfprotov5.Schema{},
		DataSourceSchemas:  map[string]*tfprotov5.Schema{},
		ServerCapabilities: &tfprotov5.ServerCapabilities{PlanDestroy: false, GetProviderSchemaOptional: true},
	}
	names, err := files.ReadDir("schema")
	if err != nil {
		return nil, err
	}
	for _, entry := range names {
		schema, err := readSchema(path.Join("schema", entry.Name()))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", entry.Name(), err)
		}
		addSchema(all, strings.TrimSuffix(entry.Name(), ".json"), schema)
	}
	return all, nil
}

func addSchema(all *tfprotov5.GetProviderSchemaResponse, name string, schema *tfprotov5.Schema) {
	if data, ok := strings.CutPrefix(name, "data."); ok {
		all.DataSourceSchemas[data] = schema
	} else if name == "provider" {
		all.Provider = schema
	} else {
		all.ResourceSchemas[name] = schema
	}
}

func readSchema(name string) (*tfprotov5.Schema, error) {
	content, err := files.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var file blockFile
	if err := json.Unmarshal(content, &file); err != nil {
		return nil, err
	}
	block, err := file.block()
	return &tfprotov5.Schema{Block: block}, err
}

func (file blockFile) block() (*tfprotov5.SchemaBlock, error) {
	block := &tfprotov5.SchemaBlock{}
	for _, name := range sortedKeys(file.Attributes) {
		attribute := file.Attributes[name]
		// The successor that the library's authors name is for their own use.
		kind, err := tftypes.ParseJSONType(attribute.Type) //nolint:staticcheck
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		block.Attributes = append(block.Attributes, &tfprotov5.SchemaAttribute{
			Name: name, Type: kind, Required: attribute.Required, Optional: attribute.Optional,
			Computed: attribute.Computed, WriteOnly: attribute.WriteOnly,
		})
	}
	for _, name := range sortedKeys(file.BlockTypes) {
		nested := file.BlockTypes[name]
		inner, err := nested.Block.block()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		block.BlockTypes = append(block.BlockTypes, &tfprotov5.SchemaNestedBlock{
			TypeName: name, Block: inner, Nesting: nestingModes[nested.NestingMode],
			MinItems: nested.MinItems, MaxItems: nested.MaxItems,
		})
	}
	return block, nil
}

func sortedKeys[V any](of map[string]V) []string {
	keys := make([]string, 0, len(of))
	for key := range of {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}
