package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// A backend does what is applied: an HTTP server that is told the action, the type and the values, each value as JSON.
type backend struct{ url string }

type call struct {
	Action string `json:"action"`
	Type   string `json:"type"`
	Values []any  `json:"values"`
}

type reply struct {
	State   json.RawMessage `json:"state"`
	Replace []string        `json:"replace"`
	Error   string          `json:"error"`
}

func (b backend) ask(what call, kind tftypes.Type, values ...*tfprotov5.DynamicValue) (reply, error) {
	var said reply
	if b.url == "" {
		return said, errors.New("it stands in for a schema only: no STAND_IN_BACKEND is named")
	}
	for _, packed := range values {
		value, err := packed.Unmarshal(kind)
		if err != nil {
			return said, err
		}
		told, err := plain(value)
		if err != nil {
			return said, err
		}
		what.Values = append(what.Values, told)
	}
	body, err := json.Marshal(what)
	if err != nil {
		return said, err
	}
	answer, err := http.Post(b.url, "application/json", bytes.NewReader(body))
	if err != nil {
		return said, err
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		return said, err
	}
	if err := json.Unmarshal(content, &said); err != nil {
		return said, fmt.Errorf("%s: %w", content, err)
	}
	if said.Error != "" {
		return said, fmt.Errorf("%s %s: %s", what.Action, what.Type, said.Error)
	}
	return said, nil
}

func (r reply) pack(kind tftypes.Type) (*tfprotov5.DynamicValue, error) {
	value, err := tfprotov5.RawState{JSON: r.State}.Unmarshal(kind)
	if err != nil {
		return nil, err
	}
	packed, err := tfprotov5.NewDynamicValue(kind, value)
	return &packed, err
}
