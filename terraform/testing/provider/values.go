package main

import (
	"encoding/json"
	"math/big"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// planBlock is what a block will be: what is only written is not kept, and what a new thing computes is not known yet.
func planBlock(block *tfprotov5.SchemaBlock, proposed tftypes.Value, isNew bool) (tftypes.Value, error) {
	if proposed.IsNull() || !proposed.IsKnown() {
		return proposed, nil
	}
	fields := map[string]tftypes.Value{}
	if err := proposed.As(&fields); err != nil {
		return proposed, err
	}
	for _, attribute := range block.Attributes {
		if attribute.WriteOnly {
			fields[attribute.Name] = tftypes.NewValue(attribute.Type, nil)
		} else if isNew && attribute.Computed && fields[attribute.Name].IsNull() {
			fields[attribute.Name] = tftypes.NewValue(attribute.Type, tftypes.UnknownValue)
		}
	}
	for _, nested := range block.BlockTypes {
		planned, err := planNested(nested, fields[nested.TypeName], isNew)
		if err != nil {
			return proposed, err
		}
		fields[nested.TypeName] = planned
	}
	return tftypes.NewValue(proposed.Type(), fields), nil
}

func planNested(nested *tfprotov5.SchemaNestedBlock, proposed tftypes.Value, isNew bool) (tftypes.Value, error) {
	if nested.Nesting == tfprotov5.SchemaNestedBlockNestingModeSingle || proposed.IsNull() || !proposed.IsKnown() {
		return proposed, nil
	}
	var items []tftypes.Value
	if err := proposed.As(&items); err != nil {
		return proposed, err
	}
	for index, item := range items {
		planned, err := planBlock(nested.Block, item, isNew)
		if err != nil {
			return proposed, err
		}
		items[index] = planned
	}
	return tftypes.NewValue(proposed.Type(), items), nil
}

// plain is a value as encoding/json writes it; what is not known is left out, as null.
func plain(value tftypes.Value) (any, error) {
	if value.IsNull() || !value.IsKnown() {
		return nil, nil
	}
	switch kind := value.Type(); {
	case kind.Is(tftypes.String):
		return as[string](value)
	case kind.Is(tftypes.Bool):
		return as[bool](value)
	case kind.Is(tftypes.Number):
		number, err := as[big.Float](value)
		return json.Number(number.Text('f', -1)), err
	case kind.Is(tftypes.Object{}) || kind.Is(tftypes.Map{}):
		fields, err := as[map[string]tftypes.Value](value)
		if err != nil {
			return nil, err
		}
		whole := map[string]any{}
		for name, field := range fields {
			if whole[name], err = plain(field); err != nil {
				return nil, err
			}
		}
		return whole, nil
	default:
		items, err := as[[]tftypes.Value](value)
		if err != nil {
			return nil, err
		}
		whole := make([]any, len(items))
		for index, item := range items {
			if whole[index], err = plain(item); err != nil {
				return nil, err
			}
		}
		return whole, nil
	}
}

func as[T any](value tftypes.Value) (T, error) {
	var into T
	err := value.As(&into)
	return into, err
}
