package main

import (
	"bytes"
	"sort"
	"time"

	"google.golang.org/protobuf/proto"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"istio.io/istio/pilot/pkg/features"
	"istio.io/istio/pilot/pkg/model"
)

// ambientOut is what istiod sends to ztunnel, as protocol buffers; filled with PILOT_ENABLE_AMBIENT=true only.
type ambientOut struct {
	Addresses [][]byte `json:"addresses,omitempty"` // istio.workload.Address
	Policies  [][]byte `json:"policies,omitempty"`  // istio.security.Authorization
}

// forKube gives those of Istio's kinds that the ambient index reads through the Kubernetes client.
func forKube(docs []string) (out []string) {
	if !features.EnableAmbient {
		return nil
	}
	for _, doc := range docs {
		obj := &unstructured.Unstructured{}
		if yaml.Unmarshal([]byte(doc), &obj.Object) != nil {
			continue
		}
		switch obj.GetKind() {
		case "AuthorizationPolicy", "PeerAuthentication", "ServiceEntry", "WorkloadEntry":
			obj.SetAPIVersion(obj.GroupVersionKind().Group + "/v1")
			if text, err := yaml.Marshal(obj.Object); err == nil {
				out = append(out, string(text))
			}
		}
	}
	return out
}

// readAmbient reads until two readings in a row are alike: the index is filled in the background.
func readAmbient(index model.AmbientIndexes) ambientOut {
	last := ambientOut{}
	for i := 0; i < 60; i++ {
		next := readOnce(index)
		if i > 3 && same(last.Addresses, next.Addresses) && same(last.Policies, next.Policies) {
			return next
		}
		last = next
		time.Sleep(10 * time.Millisecond)
	}
	return last
}

func readOnce(index model.AmbientIndexes) (out ambientOut) {
	infos, _ := index.AddressInformation(nil)
	sort.Slice(infos, func(i, j int) bool { return infos[i].ResourceName() < infos[j].ResourceName() })
	for _, info := range infos {
		out.Addresses = append(out.Addresses, packed(info.Address))
	}
	policies := index.Policies(nil)
	sort.Slice(policies, func(i, j int) bool { return policies[i].ResourceName() < policies[j].ResourceName() })
	for _, policy := range policies {
		out.Policies = append(out.Policies, packed(policy.Authorization))
	}
	return out
}

func packed(message proto.Message) []byte {
	out, err := proto.MarshalOptions{Deterministic: true}.Marshal(message)
	if err != nil {
		panic(err)
	}
	return out
}

func same(a, b [][]byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !bytes.Equal(a[i], b[i]) {
			return false
		}
	}
	return true
}
