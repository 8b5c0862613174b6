// Answers of sigs.k8s.io/yaml: JSON Lines of texts in, {"yaml", "json"} or {"yaml", "error"} out.
package main

import (
	"bufio"
	"encoding/json"
	"os"

	"sigs.k8s.io/yaml"
)

type answer struct {
	YAML  string          `json:"yaml"`
	JSON  json.RawMessage `json:"json,omitempty"`
	Error string          `json:"error,omitempty"`
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 64<<20)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for in.Scan() {
		var one answer
		if err := json.Unmarshal(in.Bytes(), &one.YAML); err != nil {
			panic(err)
		}
		value, err := yaml.YAMLToJSON([]byte(one.YAML))
		if err != nil {
			one.Error = err.Error()
		} else {
			one.JSON = value
		}
		if err := out.Encode(one); err != nil {
			panic(err)
		}
	}
}
