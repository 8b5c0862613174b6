// Command verdicts asks Cilium's own policy engine (github.com/cilium/cilium/pkg/policy) for verdicts.
//
// It reads one world per line from stdin (JSON) and answers each with one line: for each flow the decision of both directions, and
// whether an L7 proxy sees it; or the error with which Cilium refuses a policy.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/netip"
	"os"

	"github.com/cilium/cilium/pkg/endpoint/regeneration"
	envoypolicy "github.com/cilium/cilium/pkg/envoy/policy"
	"github.com/cilium/cilium/pkg/identity"
	"github.com/cilium/cilium/pkg/identity/identitymanager"
	"github.com/cilium/cilium/pkg/k8s"
	v2 "github.com/cilium/cilium/pkg/k8s/apis/cilium.io/v2"
	slimnet "github.com/cilium/cilium/pkg/k8s/slim/k8s/api/networking/v1"
	"github.com/cilium/cilium/pkg/labels"
	"github.com/cilium/cilium/pkg/option"
	"github.com/cilium/cilium/pkg/policy"
	"github.com/cilium/cilium/pkg/policy/api"
	"github.com/cilium/cilium/pkg/policy/types"
	"github.com/cilium/cilium/pkg/policy/utils"
	testidentity "github.com/cilium/cilium/pkg/testutils/identity"
	testpolicy "github.com/cilium/cilium/pkg/testutils/policy"
	ciliumtypes "github.com/cilium/cilium/pkg/types"
	"github.com/cilium/cilium/pkg/u8proto"
)

type end struct {
	ID     uint32            `json:"id"`
	Labels []string          `json:"labels"`
	CIDR   string            `json:"cidr"`
	TCP    map[string]uint16 `json:"tcp"`
	UDP    map[string]uint16 `json:"udp"`
}

type flow struct {
	From     uint32 `json:"from"`
	To       uint32 `json:"to"`
	Protocol string `json:"protocol"`
	Port     uint16 `json:"port"`
}

type world struct {
	Ends     []end             `json:"ends"`
	Policies []json.RawMessage `json:"policies"`
	Flows    []flow            `json:"flows"`
}

type answer struct {
	Errors   map[int]string `json:"errors,omitempty"`
	Verdicts [][2]string    `json:"verdicts"`
}

type owner struct {
	id       uint64
	tcp, udp map[string]uint16
}

func (o *owner) GetID() uint64 { return o.id }
func (o *owner) GetIngressNamedPort(name string, proto u8proto.U8proto) uint16 {
	if proto == u8proto.TCP {
		return o.tcp[name]
	}
	if proto == u8proto.UDP {
		return o.udp[name]
	}
	return 0
}
func (o *owner) PolicyDebug(string, ...any)                  {}
func (o *owner) IsHost() bool                                { return false }
func (o *owner) PreviousMapStateSizes() policy.MapStateSizes { return policy.MapStateSizes{} }
func (o *owner) RegenerateIfAlive(*regeneration.ExternalRegenerationMetadata) <-chan bool {
	done := make(chan bool)
	close(done)
	return done
}

var logger = slog.New(slog.NewTextHandler(io.Discard, nil))

func entries(raw json.RawMessage) (types.PolicyEntries, error) {
	var head struct {
		Kind string `json:"kind"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return nil, err
	}
	switch head.Kind {
	case "NetworkPolicy":
		var np slimnet.NetworkPolicy
		if err := json.Unmarshal(raw, &np); err != nil {
			return nil, err
		}
		return k8s.ParseNetworkPolicy(logger, "default", &np)
	case "CiliumNetworkPolicy":
		var p v2.CiliumNetworkPolicy
		if err := json.Unmarshal(raw, &p); err != nil {
			return nil, err
		}
		rules, err := p.Parse(logger, "default")
		return utils.RulesToPolicyEntries(rules), err
	case "CiliumClusterwideNetworkPolicy":
		var p v2.CiliumClusterwideNetworkPolicy
		if err := json.Unmarshal(raw, &p); err != nil {
			return nil, err
		}
		rules, err := p.Parse(logger, "default")
		return utils.RulesToPolicyEntries(rules), err
	}
	return nil, fmt.Errorf("kind %s", head.Kind)
}

func decide(w world) answer {
	out := answer{Errors: map[int]string{}}
	ids := map[uint32]*identity.Identity{}
	owners := map[uint32]*owner{}
	all := identity.IdentityMap{}
	for _, e := range w.Ends {
		var found *identity.Identity
		if e.CIDR != "" {
			found = identity.NewIdentity(identity.NumericIdentity(e.ID)|identity.IdentityScopeLocal, labels.GetCIDRLabels(netip.MustParsePrefix(e.CIDR)))
		} else if known := identity.LookupReservedIdentity(identity.NumericIdentity(e.ID)); known != nil && len(e.Labels) == 0 {
			found = known
		} else {
			found = identity.NewIdentityFromLabelArray(identity.NumericIdentity(e.ID), labels.ParseLabelArray(e.Labels...).Sort())
		}
		ids[e.ID] = found
		owners[e.ID] = &owner{uint64(e.ID), e.TCP, e.UDP}
		all[found.ID] = found.LabelArray
	}
	manager := identitymanager.NewIDManager(logger)
	repo := policy.NewPolicyRepository(logger, all, nil, envoypolicy.NewEnvoyL7RulesTranslator(logger, nil), manager, testpolicy.NewPolicyMetricsNoop())
	repo.GetSelectorCache().SetLocalIdentityNotifier(testidentity.NewDummyIdentityNotifier())
	repo.SetNamedPortsGetter(names(w, ids))
	repo.UpdateIdentities(all, nil)
	for n, raw := range w.Policies {
		found, err := entries(raw)
		if err != nil {
			out.Errors[n] = err.Error()
			continue
		}
		repo.MustAddPolicyEntries(found)
	}
	for _, f := range w.Flows {
		proto, err := u8proto.ParseProtocol(f.Protocol)
		if err != nil {
			panic(err)
		}
		egress := ask(repo, ids[f.From], owners[f.From], policy.EgressKey().WithIdentity(ids[f.To].ID).WithPortProto(proto, f.Port))
		ingress := ask(repo, ids[f.To], owners[f.To], policy.IngressKey().WithIdentity(ids[f.From].ID).WithPortProto(proto, f.Port))
		out.Verdicts = append(out.Verdicts, [2]string{egress, ingress})
	}
	return out
}

func ask(repo *policy.Repository, subject *identity.Identity, who *owner, key policy.Key) string {
	selected, _, err := repo.ComputeSelectorPolicy(subject)
	if err != nil {
		return "error: " + err.Error()
	}
	found := selected.DistillPolicy(logger, who, map[string]uint16{policy.FallbackRedirectID: math.MaxUint16})
	found.Ready()
	found.Detach(logger)
	selected.Supersede()
	entry, _, _ := found.Lookup(key)
	switch {
	case entry.IsDeny():
		return "denied"
	case entry.IsRedirectEntry():
		return "proxy"
	}
	return "allowed"
}

type named struct{ ports ciliumtypes.NamedPortMultiMap }

func (n named) GetNamedPorts() ciliumtypes.NamedPortMultiMap { return n.ports }

func names(w world, ids map[uint32]*identity.Identity) policy.NamedPortsGetter {
	found := ciliumtypes.NewNamedPortMultiMap()
	for _, e := range w.Ends {
		ports := ciliumtypes.NamedPortMap{}
		for name, port := range e.TCP {
			ports[name] = ciliumtypes.PortProto{Proto: u8proto.TCP, Port: port}
		}
		for name, port := range e.UDP {
			ports[name] = ciliumtypes.PortProto{Proto: u8proto.UDP, Port: port}
		}
		if len(ports) > 0 {
			found.Update(ids[e.ID].ID, nil, ports)
		}
	}
	return named{found}
}

func main() {
	api.InitEntities("default")
	option.Config.EnableL7Proxy = true
	option.Config.EnableNonDefaultDenyPolicies = true
	option.Config.EnableICMPRules = true
	option.Config.EnableNodeSelectorLabels = true
	option.Config.UnsafeDaemonConfigOption.AllowLocalhost = option.AllowLocalhostAlways
	option.Config.EnableIPv4, option.Config.EnableIPv6 = true, true
	policy.SetPolicyEnabled(option.DefaultEnforcement)
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 1<<26)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		var w world
		if err := json.Unmarshal(in.Bytes(), &w); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if err := out.Encode(decide(w)); err != nil {
			os.Exit(1)
		}
	}
}
