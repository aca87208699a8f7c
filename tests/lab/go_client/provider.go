package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"sort"
	"strings"

	"github.com/aws/smithy-go"
)

// computed are attributes that AWS sets where nobody asks for any.
var computed = map[string]bool{"RegistryId": true, "RoleARN": true}

// Attributes are what a resource is, as JSON has it, without what is empty.
type Attributes map[string]any

// Resource is one of a provider's: Read returns nothing where it does not exist, and Delete is content when it does not.
type Resource struct {
	Wanted Attributes
	Create func(context.Context) error
	Read   func(context.Context) (Attributes, error)
	Update func(context.Context) error
	Delete func(context.Context) error
}

// plan says what would have to be done: "create", or the attributes that differ.
func (resource Resource) plan(ctx context.Context) ([]string, error) {
	read, err := resource.Read(ctx)
	if err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	if read == nil {
		return []string{"create"}, nil
	}
	return differences(resource.Wanted, read), nil
}

// live makes a resource, looks whether anything is left to be done, deletes it, and looks whether it is gone.
func (resource Resource) live(ctx context.Context, seen Seen) (err error) {
	if seen["plan before"], err = resource.plan(ctx); err != nil {
		return err
	}
	if err := resource.Create(ctx); err != nil {
		return fmt.Errorf("create: %w", err)
	}
	seen["asked"] = resource.Wanted
	if seen["read"], err = resource.Read(ctx); err != nil {
		return err
	}
	if seen["plan after creation"], err = resource.plan(ctx); err != nil {
		return err
	}
	return resource.end(ctx, seen)
}

// end deletes a resource twice.
func (resource Resource) end(ctx context.Context, seen Seen) (err error) {
	for range 2 {
		if err := resource.Delete(ctx); err != nil {
			return fmt.Errorf("delete: %w", err)
		}
	}
	seen["plan after deletion"], err = resource.plan(ctx)
	return err
}

// attributes of a request of the SDK's, or of an answer.
func attributes(value any) Attributes {
	content, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	var plain map[string]any
	if err := json.Unmarshal(content, &plain); err != nil {
		panic(err)
	}
	cleaned, _ := clean(plain).(map[string]any)
	return cleaned
}

// observed are those attributes of an answer that the request which makes the resource has, too; and its tags.
func observed(request, answer any, tags map[string]string) Attributes {
	found, kept := attributes(answer), Attributes{}
	shape := reflect.TypeOf(request).Elem()
	for number := range shape.NumField() {
		name := shape.Field(number).Name
		if value, there := found[name]; there && name != "Tags" && !computed[name] {
			kept[name] = value
		}
	}
	if len(tags) > 0 {
		kept["Tags"] = clean(attributes(tags))
	}
	return kept
}

// clean leaves out what is empty, and makes a map of a list of tags.
func clean(value any) any {
	switch value := value.(type) {
	case Attributes:
		return clean(map[string]any(value))
	case map[string]any:
		kept := map[string]any{}
		for name, member := range value {
			if cleaned := clean(member); !isEmpty(cleaned) && name != "ResultMetadata" {
				kept[name] = cleaned
			}
		}
		return kept
	case []any:
		return cleanList(value)
	default:
		return value
	}
}

func cleanList(values []any) any {
	kept, tags := []any{}, map[string]any{}
	for _, value := range values {
		cleaned := clean(value)
		kept = append(kept, cleaned)
		if pair, ok := cleaned.(map[string]any); ok && pair["Key"] != nil && pair["Value"] != nil && len(pair) == 2 {
			tags[fmt.Sprint(pair["Key"])] = pair["Value"]
		}
	}
	if len(tags) == len(values) {
		return tags
	}
	return kept
}

func isEmpty(value any) bool {
	switch value := value.(type) {
	case nil:
		return true
	case string:
		return value == ""
	case bool:
		return !value
	case []any:
		return len(value) == 0
	case map[string]any:
		return len(value) == 0
	default:
		return false
	}
}

func differences(wanted, read Attributes) []string {
	found := []string{}
	for name, value := range wanted {
		if !reflect.DeepEqual(value, read[name]) {
			found = append(found, name)
		}
	}
	for name := range read {
		if _, there := wanted[name]; !there {
			found = append(found, name)
		}
	}
	sort.Strings(found)
	return found
}

// isRefusal is whether an error has this code and these words, which is all that tells some absences.
func isRefusal(err error, code, words string) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == code && strings.Contains(api.ErrorMessage(), words)
}
