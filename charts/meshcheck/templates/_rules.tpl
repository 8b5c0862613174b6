{{/* Generated from meshcheck/model/cluster_kinds.py by manifests/install/generate.py: the kinds that a pass reads. */}}
{{- define "meshcheck.verbs" -}}{{ .Values.watch.enabled | ternary "[list, watch]" "[list]" }}{{- end -}}

{{- define "meshcheck.clusterRules" -}}
- apiGroups: [""]
  resources: [namespaces, nodes]
  verbs: {{ include "meshcheck.verbs" . }}
- apiGroups: [networking.k8s.io]
  resources: [ingressclasses]
  verbs: {{ include "meshcheck.verbs" . }}
- apiGroups: [policy.networking.k8s.io]
  resources: [adminnetworkpolicies, baselineadminnetworkpolicies, clusternetworkpolicies]
  verbs: {{ include "meshcheck.verbs" . }}
- apiGroups: [admissionregistration.k8s.io]
  resources: [mutatingwebhookconfigurations]
  verbs: {{ include "meshcheck.verbs" . }}
- apiGroups: [gateway.networking.k8s.io]
  resources: [gatewayclasses]
  verbs: {{ include "meshcheck.verbs" . }}
- apiGroups: [configuration.konghq.com]
  resources: [kongclusterplugins]
  verbs: {{ include "meshcheck.verbs" . }}
- apiGroups: [cilium.io]
  resources: [ciliumcidrgroups, ciliumclusterwidenetworkpolicies]
  verbs: {{ include "meshcheck.verbs" . }}
- apiGroups: [projectcalico.org]
  resources: [felixconfigurations, globalnetworkpolicies, globalnetworksets, hostendpoints, tiers]
  verbs: {{ include "meshcheck.verbs" . }}
- apiGroups: [crd.projectcalico.org]
  resources: [felixconfigurations, globalnetworkpolicies, globalnetworksets, hostendpoints, tiers]
  verbs: {{ include "meshcheck.verbs" . }}
- apiGroups: [crd.antrea.io]
  resources: [clusternetworkpolicies]
  verbs: {{ include "meshcheck.verbs" . }}
- apiGroups: [networking.k8s.aws]
  resources: [clusternetworkpolicies]
  verbs: {{ include "meshcheck.verbs" . }}
- apiGroups: [kuma.io]
  resources: [trafficpermissions]
  verbs: {{ include "meshcheck.verbs" . }}
{{- if .Values.rbac.readRoles }}
- apiGroups: [rbac.authorization.k8s.io]
  resources: [clusterrolebindings, clusterroles]
  verbs: {{ include "meshcheck.verbs" . }}
{{- end }}
{{- end -}}

{{- define "meshcheck.namespacedRules" -}}
- apiGroups: [""]
  resources: [configmaps, pods, replicationcontrollers, serviceaccounts, services]
  verbs: {{ include "meshcheck.verbs" . }}
- apiGroups: [apps]
  resources: [daemonsets, deployments, replicasets, statefulsets]
  verbs: {{ include "meshcheck.verbs" . }}
- apiGroups: [batch]
  resources: [cronjobs, jobs]
  verbs: {{ include "meshcheck.verbs" . }}
- apiGroups: [argoproj.io]
  resources: [rollouts]
  verbs: {{ include "meshcheck.verbs" . }}
- apiGroups: [apps.openshift.io]
  resources: [deploymentconfigs]
  verbs: {{ include "meshcheck.verbs" . }}
- apiGroups: [kubevirt.io]
  resources: [virtualmachines]
  verbs: {{ include "meshcheck.verbs" . }}
- apiGroups: [apps.kruise.io]
  resources: [clonesets]
  verbs: {{ include "meshcheck.verbs" . }}
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: {{ include "meshcheck.verbs" . }}
- apiGroups: [networking.k8s.io]
  resources: [ingresses, networkpolicies]
  verbs: {{ include "meshcheck.verbs" . }}
- apiGroups: [security.istio.io]
  resources: [authorizationpolicies, peerauthentications, requestauthentications]
  verbs: {{ include "meshcheck.verbs" . }}
- apiGroups: [networking.istio.io]
  resources: [destinationrules, envoyfilters, gateways, serviceentries, sidecars, virtualservices, workloadentries]
  verbs: {{ include "meshcheck.verbs" . }}
- apiGroups: [extensions.istio.io]
  resources: [trafficextensions, wasmplugins]
  verbs: {{ include "meshcheck.verbs" . }}
- apiGroups: [gateway.networking.k8s.io]
  resources: [backendtlspolicies, gateways, grpcroutes, httproutes, listenersets, referencegrants, tcproutes, tlsroutes, udproutes]
  verbs: {{ include "meshcheck.verbs" . }}
- apiGroups: [gateway.networking.x-k8s.io]
  resources: [xlistenersets]
  verbs: {{ include "meshcheck.verbs" . }}
- apiGroups: [gateway.envoyproxy.io]
  resources: [backendtrafficpolicies, clienttrafficpolicies, envoyextensionpolicies, envoypatchpolicies, securitypolicies]
  verbs: {{ include "meshcheck.verbs" . }}
- apiGroups: [traefik.io]
  resources: [ingressroutes, middlewares]
  verbs: {{ include "meshcheck.verbs" . }}
- apiGroups: [traefik.containo.us]
  resources: [ingressroutes, middlewares]
  verbs: {{ include "meshcheck.verbs" . }}
- apiGroups: [configuration.konghq.com]
  resources: [kongplugins]
  verbs: {{ include "meshcheck.verbs" . }}
- apiGroups: [projectcontour.io]
  resources: [httpproxies]
  verbs: {{ include "meshcheck.verbs" . }}
- apiGroups: [cloud.google.com]
  resources: [backendconfigs]
  verbs: {{ include "meshcheck.verbs" . }}
- apiGroups: [cilium.io]
  resources: [ciliumnetworkpolicies]
  verbs: {{ include "meshcheck.verbs" . }}
- apiGroups: [projectcalico.org]
  resources: [networkpolicies, networksets]
  verbs: {{ include "meshcheck.verbs" . }}
- apiGroups: [crd.projectcalico.org]
  resources: [networkpolicies, networksets]
  verbs: {{ include "meshcheck.verbs" . }}
- apiGroups: [crd.antrea.io]
  resources: [networkpolicies]
  verbs: {{ include "meshcheck.verbs" . }}
- apiGroups: [k8s.ovn.org]
  resources: [egressfirewalls]
  verbs: {{ include "meshcheck.verbs" . }}
- apiGroups: [network.openshift.io]
  resources: [egressnetworkpolicies]
  verbs: {{ include "meshcheck.verbs" . }}
- apiGroups: [networking.gke.io]
  resources: [fqdnnetworkpolicies]
  verbs: {{ include "meshcheck.verbs" . }}
- apiGroups: [networking.k8s.aws]
  resources: [applicationnetworkpolicies]
  verbs: {{ include "meshcheck.verbs" . }}
- apiGroups: [vpcresources.k8s.aws]
  resources: [securitygrouppolicies]
  verbs: {{ include "meshcheck.verbs" . }}
- apiGroups: [crd.nsx.vmware.com]
  resources: [securitypolicies]
  verbs: {{ include "meshcheck.verbs" . }}
- apiGroups: [policy.linkerd.io]
  resources: [authorizationpolicies, egressnetworks, serverauthorizations, servers]
  verbs: {{ include "meshcheck.verbs" . }}
- apiGroups: [kuma.io]
  resources: [meshtrafficpermissions]
  verbs: {{ include "meshcheck.verbs" . }}
- apiGroups: [consul.hashicorp.com]
  resources: [serviceintentions]
  verbs: {{ include "meshcheck.verbs" . }}
{{- if .Values.rbac.readRoles }}
- apiGroups: [rbac.authorization.k8s.io]
  resources: [rolebindings, roles]
  verbs: {{ include "meshcheck.verbs" . }}
{{- end }}
{{- end -}}
