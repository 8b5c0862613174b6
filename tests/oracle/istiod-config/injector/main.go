// Command injector asks Istio's own injector whether it would put a sidecar into a pod.
//
// It reads JSON Lines on standard input, one pod a line: {"config": "<YAML of the ConfigMap>", "pod": {…}},
// and prints true or false for each.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	_ "unsafe" // for go:linkname

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"istio.io/istio/pkg/kube/inject"
	"istio.io/istio/pkg/log"
)

//go:linkname injectRequired istio.io/istio/pkg/kube/inject.injectRequired
func injectRequired(ignored []string, config *inject.Config, podSpec *corev1.PodSpec, metadata metav1.ObjectMeta) bool

type line struct {
	Config string     `json:"config"`
	Pod    corev1.Pod `json:"pod"`
}

func main() {
	for _, scope := range log.Scopes() {
		scope.SetOutputLevel(log.NoneLevel)
	}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 16<<20)
	for in.Scan() {
		var asked line
		if err := json.Unmarshal(in.Bytes(), &asked); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		config, err := inject.UnmarshalConfig([]byte(asked.Config))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(injectRequired(inject.IgnoredNamespaces.UnsortedList(), &config, &asked.Pod.Spec, asked.Pod.ObjectMeta))
	}
}
