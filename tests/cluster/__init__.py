"""Against a real kube-apiserver and etcd (KUBEBUILDER_ASSETS); see tests/cluster/kube-binaries."""
