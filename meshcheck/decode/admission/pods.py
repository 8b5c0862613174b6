"""Pods: the fields of a Pod and of the pod templates of other kinds.

Sources: kubernetes/kubernetes:api/openapi-spec/v3 for the fields; rules in `pod_rules`.
"""

from __future__ import annotations

from meshcheck.decode.admission import metadata, pod_rules
from meshcheck.decode.admission.table import Table

TABLE = """
Pod #whole_pod #mounted: metadata ObjectMeta, spec PodSpec, status PodStatus, apiVersion str, kind str
PodSpec #containers #hosts #tied: activeDeadlineSeconds int64:1..2147483647, affinity Affinity, automountServiceAccountToken bool,
    containers [Container], dnsConfig PodDNSConfig, dnsPolicy =""|ClusterFirstWithHostNet|ClusterFirst|Default|None,
    enableServiceLinks bool, ephemeralContainers [EphemeralContainer], evictionResponders [EvictionResponder],
    hostAliases [HostAlias], hostIPC bool, hostNetwork bool, hostPID bool, hostUsers bool, hostname str~optional_label,
    hostnameOverride str:..64~optional_subdomain, imagePullSecrets [LocalObjectReference], initContainers [Container],
    nodeName str~optional_subdomain, nodeSelector {str}#labels, os PodOS, overhead {quantity}#resource_names,
    preemptionPolicy =PreemptLowerPriority|Never, priority int32, priorityClassName str~optional_subdomain,
    readinessGates [PodReadinessGate], resourceClaims [PodResourceClaim], resources ResourceRequirements,
    restartPolicy =""|Always|OnFailure|Never, runtimeClassName str~subdomain, schedulerName str,
    schedulingGates [PodSchedulingGate], schedulingGroup PodSchedulingGroup, securityContext PodSecurityContext,
    serviceAccount str, serviceAccountName str~optional_subdomain, setHostnameAsFQDN bool, shareProcessNamespace bool,
    subdomain str~optional_label, terminationGracePeriodSeconds int64, tolerations [Toleration],
    topologySpreadConstraints [TopologySpreadConstraint], volumes [Volume]
Affinity: nodeAffinity NodeAffinity, podAffinity PodAffinity, podAntiAffinity PodAntiAffinity
NodeAffinity: preferredDuringSchedulingIgnoredDuringExecution [PreferredSchedulingTerm],
    requiredDuringSchedulingIgnoredDuringExecution NodeSelector
PreferredSchedulingTerm #weight: preference NodeSelectorTerm, weight int32
NodeSelectorTerm: matchExpressions [NodeSelectorRequirement], matchFields [NodeSelectorRequirement]
NodeSelectorRequirement #node_requirement: key str, operator str, values [str]
NodeSelector #node_selector: nodeSelectorTerms [NodeSelectorTerm]
PodAffinity: preferredDuringSchedulingIgnoredDuringExecution [WeightedPodAffinityTerm],
    requiredDuringSchedulingIgnoredDuringExecution [PodAffinityTerm]
WeightedPodAffinityTerm #weighted: podAffinityTerm PodAffinityTerm, weight int32
PodAffinityTerm #affinity_term: labelSelector LabelSelector, matchLabelKeys [str], mismatchLabelKeys [str],
    namespaceSelector LabelSelector, namespaces [str~label], topologyKey str
PodAntiAffinity: preferredDuringSchedulingIgnoredDuringExecution [WeightedPodAffinityTerm],
    requiredDuringSchedulingIgnoredDuringExecution [PodAffinityTerm]
Container #container: args [str], command [str], env [EnvVar], envFrom [EnvFromSource], image str,
    imagePullPolicy =""|Always|IfNotPresent|Never, lifecycle Lifecycle, livenessProbe Probe, name str, ports [ContainerPort],
    readinessProbe Probe, resizePolicy [ContainerResizePolicy], resources ResourceRequirements,
    restartPolicy =Always|Never|OnFailure, restartPolicyRules [ContainerRestartRule], securityContext SecurityContext,
    startupProbe Probe, stdin bool, stdinOnce bool, terminationMessagePath str,
    terminationMessagePolicy =""|File|FallbackToLogsOnError, tty bool, volumeDevices [VolumeDevice], volumeMounts [VolumeMount],
    workingDir str
EnvVar #variable: name str, value str, valueFrom EnvVarSource
EnvVarSource: configMapKeyRef ConfigMapKeySelector, fieldRef ObjectFieldSelector, fileKeyRef FileKeySelector,
    resourceFieldRef ResourceFieldSelector, secretKeyRef SecretKeySelector
ConfigMapKeySelector: key str, name str, optional bool
ObjectFieldSelector: apiVersion str, fieldPath str
FileKeySelector: key str, optional bool, path str, volumeName str
ResourceFieldSelector: containerName str, divisor quantity, resource str
SecretKeySelector: key str, name str, optional bool
EnvFromSource #bulk_source: configMapRef ConfigMapEnvSource, prefix str, secretRef SecretEnvSource
ConfigMapEnvSource: name str, optional bool
SecretEnvSource: name str, optional bool
Lifecycle: postStart LifecycleHandler, preStop LifecycleHandler, stopSignal str
LifecycleHandler #handler: exec ExecAction, httpGet HTTPGetAction, sleep SleepAction, tcpSocket TCPSocketAction
ExecAction: command [str]
HTTPGetAction #target_port: host str, httpHeaders [HTTPHeader], path str, port intstr, protocol str, scheme =""|HTTP|HTTPS
HTTPHeader #named: name str~header, value str
SleepAction: seconds int64
TCPSocketAction #target_port: host str, port intstr
Probe #probe: exec ExecAction, failureThreshold int32, grpc GRPCAction, httpGet HTTPGetAction, initialDelaySeconds int32,
    periodSeconds int32, successThreshold int32, tcpSocket TCPSocketAction, terminationGracePeriodSeconds int64,
    timeoutSeconds int32
GRPCAction: mode str, port int32, service str
ContainerPort #container_port: containerPort int32:1..65535, hostIP str, hostPort int32:0..65535, name str,
    protocol =""|TCP|UDP|SCTP
ContainerResizePolicy: resourceName! =cpu|memory, restartPolicy! =NotRequired|RestartContainer
ResourceRequirements #resources: claims [ResourceClaim], limits {quantity}, requests {quantity}
ResourceClaim: name str, request str
ContainerRestartRule: action! =Restart|RestartAllContainers, exitCodes ContainerRestartRuleOnExitCodes
ContainerRestartRuleOnExitCodes: operator =In|NotIn, values [int32]
SecurityContext #privileges: allowPrivilegeEscalation bool, appArmorProfile AppArmorProfile, capabilities Capabilities,
    privileged bool, procMount =Default|Unmasked, readOnlyRootFilesystem bool, runAsGroup int64:0..2147483647,
    runAsNonRoot bool, runAsUser int64:0..2147483647, seLinuxOptions SELinuxOptions, seccompProfile SeccompProfile,
    windowsOptions WindowsSecurityContextOptions
AppArmorProfile: localhostProfile str, type =RuntimeDefault|Unconfined|Localhost
Capabilities: add [str], drop [str]
SELinuxOptions: level str, role str, type str, user str
SeccompProfile: localhostProfile str, type =RuntimeDefault|Unconfined|Localhost
WindowsSecurityContextOptions: gmsaCredentialSpec str, gmsaCredentialSpecName str, hostProcess bool, runAsUserName str
VolumeDevice #device: devicePath str, name str
VolumeMount #mount: bindMountOptions [str], mountPath str, mountPropagation =None|HostToContainer|Bidirectional, name str,
    readOnly bool, recursiveReadOnly =Disabled|IfPossible|Enabled, subPath str, subPathExpr str
PodDNSConfig #dns: nameservers [str~ip]:..3, options [PodDNSConfigOption], searches [str~search]:..32
PodDNSConfigOption: name str, value str
EphemeralContainer #container: args [str], command [str], env [EnvVar], envFrom [EnvFromSource], image str,
    imagePullPolicy =""|Always|IfNotPresent|Never, lifecycle Lifecycle, livenessProbe Probe, name str, ports [ContainerPort],
    readinessProbe Probe, resizePolicy [ContainerResizePolicy], resources ResourceRequirements, restartPolicy str,
    restartPolicyRules [ContainerRestartRule], securityContext SecurityContext, startupProbe Probe, stdin bool, stdinOnce bool,
    targetContainerName str, terminationMessagePath str, terminationMessagePolicy =""|File|FallbackToLogsOnError, tty bool,
    volumeDevices [VolumeDevice], volumeMounts [VolumeMount], workingDir str
EvictionResponder: name str, priority int32
HostAlias #has_ip: hostnames [str~subdomain], ip str~ip
LocalObjectReference: name str
PodOS: name =linux|windows
PodReadinessGate: conditionType str~label_key
PodResourceClaim #pod_claim: name str, resourceClaimName str, resourceClaimTemplateName str
PodSchedulingGate: name str~label_key
PodSchedulingGroup: podGroupName str
PodSecurityContext #profiles: appArmorProfile AppArmorProfile, fsGroup int64:0..2147483647,
    fsGroupChangePolicy =Always|OnRootMismatch, runAsGroup int64:0..2147483647, runAsNonRoot bool, runAsUser int64:0..2147483647,
    seLinuxChangePolicy =MountOption|Recursive, seLinuxOptions SELinuxOptions, seccompProfile SeccompProfile,
    supplementalGroups [int64:0..2147483647], supplementalGroupsPolicy =Merge|Strict, sysctls [Sysctl]@name,
    windowsOptions WindowsSecurityContextOptions
Sysctl #named: name str:1..253~sysctl, value str
Toleration #toleration: effect str, key str, operator str, tolerationSeconds int64, value str
TopologySpreadConstraint #spread: labelSelector LabelSelector, matchLabelKeys [str], maxSkew int32, minDomains int32:1..,
    nodeAffinityPolicy =Honor|Ignore, nodeTaintsPolicy =Honor|Ignore, topologyKey str,
    whenUnsatisfiable =DoNotSchedule|ScheduleAnyway
Volume #volume: awsElasticBlockStore AWSElasticBlockStoreVolumeSource, azureDisk AzureDiskVolumeSource,
    azureFile AzureFileVolumeSource, cephfs CephFSVolumeSource, cinder CinderVolumeSource, configMap ConfigMapVolumeSource,
    csi CSIVolumeSource, downwardAPI DownwardAPIVolumeSource, emptyDir EmptyDirVolumeSource, ephemeral EphemeralVolumeSource,
    fc FCVolumeSource, flexVolume FlexVolumeSource, flocker FlockerVolumeSource, gcePersistentDisk GCEPersistentDiskVolumeSource,
    gitRepo GitRepoVolumeSource, glusterfs GlusterfsVolumeSource, hostPath HostPathVolumeSource, image ImageVolumeSource,
    iscsi ISCSIVolumeSource, name str, nfs NFSVolumeSource, persistentVolumeClaim PersistentVolumeClaimVolumeSource,
    photonPersistentDisk PhotonPersistentDiskVolumeSource, portworxVolume PortworxVolumeSource, projected ProjectedVolumeSource,
    quobyte QuobyteVolumeSource, rbd RBDVolumeSource, scaleIO ScaleIOVolumeSource, secret SecretVolumeSource,
    storageos StorageOSVolumeSource, vsphereVolume VsphereVirtualDiskVolumeSource
AWSElasticBlockStoreVolumeSource: fsType str, partition int32, readOnly bool, volumeID str
AzureDiskVolumeSource: cachingMode str, diskName str, diskURI str, fsType str, kind str, readOnly bool
AzureFileVolumeSource: readOnly bool, secretName str, shareName str
CephFSVolumeSource: monitors [str], path str, readOnly bool, secretFile str, secretRef LocalObjectReference, user str
CinderVolumeSource: fsType str, readOnly bool, secretRef LocalObjectReference, volumeID str
ConfigMapVolumeSource: defaultMode int32:0..511, defaultUser int64, items [KeyToPath], name str, optional bool
KeyToPath: key str, mode int32:0..511, path str, user int64
CSIVolumeSource: driver str, fsType str, nodePublishSecretRef LocalObjectReference, readOnly bool, volumeAttributes {str}
DownwardAPIVolumeSource: defaultMode int32:0..511, defaultUser int64, items [DownwardAPIVolumeFile]
DownwardAPIVolumeFile: fieldRef ObjectFieldSelector, mode int32, path str, resourceFieldRef ResourceFieldSelector, user int64
EmptyDirVolumeSource: medium str, mode int32, sizeLimit quantity
EphemeralVolumeSource: volumeClaimTemplate PersistentVolumeClaimTemplate
PersistentVolumeClaimTemplate #claiming: metadata TemplateMeta, spec PersistentVolumeClaimSpec
PersistentVolumeClaimSpec #claim: accessModes [=ReadOnlyMany|ReadWriteMany|ReadWriteOnce|ReadWriteOncePod],
    dataSource TypedLocalObjectReference, dataSourceRef TypedObjectReference, resources VolumeResourceRequirements,
    selector LabelSelector, storageClassName str~optional_subdomain, volumeAttributesClassName str, volumeMode =Block|Filesystem,
    volumeName str
TypedLocalObjectReference: apiGroup str, kind str, name str
TypedObjectReference: apiGroup str, kind str, name str, namespace str
VolumeResourceRequirements: limits {quantity}, requests {quantity}
FCVolumeSource: fsType str, lun int32, readOnly bool, targetWWNs [str], wwids [str]
FlexVolumeSource: driver str, fsType str, options {str}, readOnly bool, secretRef LocalObjectReference
FlockerVolumeSource: datasetName str, datasetUUID str
GCEPersistentDiskVolumeSource: fsType str, partition int32, pdName str, readOnly bool
GitRepoVolumeSource: directory str, repository str, revision str
GlusterfsVolumeSource: endpoints str, path str, readOnly bool
HostPathVolumeSource: path str, type str
ImageVolumeSource: pullPolicy str, reference str
ISCSIVolumeSource: chapAuthDiscovery bool, chapAuthSession bool, fsType str, initiatorName str, iqn str, iscsiInterface str,
    lun int32, portals [str], readOnly bool, secretRef LocalObjectReference, targetPortal str
NFSVolumeSource: path str, readOnly bool, server str
PersistentVolumeClaimVolumeSource: claimName str, readOnly bool
PhotonPersistentDiskVolumeSource: fsType str, pdID str
PortworxVolumeSource: fsType str, readOnly bool, volumeID str
ProjectedVolumeSource: defaultMode int32:0..511, defaultUser int64, sources [VolumeProjection]
VolumeProjection: clusterTrustBundle ClusterTrustBundleProjection, configMap ConfigMapProjection, downwardAPI DownwardAPIProjection,
    podCertificate PodCertificateProjection, secret SecretProjection, serviceAccountToken ServiceAccountTokenProjection
ClusterTrustBundleProjection: labelSelector LabelSelector, name str, optional bool, path str, signerName str, user int64
ConfigMapProjection: items [KeyToPath], name str, optional bool
DownwardAPIProjection: items [DownwardAPIVolumeFile]
PodCertificateProjection: certificateChainPath str, credentialBundlePath str, keyPath str, keyType str,
    maxExpirationSeconds int32, signerName str, user int64, userAnnotations {str}
SecretProjection: items [KeyToPath], name str, optional bool
ServiceAccountTokenProjection: audience str, expirationSeconds int64, path str, user int64
QuobyteVolumeSource: group str, readOnly bool, registry str, tenant str, user str, volume str
RBDVolumeSource: fsType str, image str, keyring str, monitors [str], pool str, readOnly bool,
    secretRef LocalObjectReference, user str
ScaleIOVolumeSource: fsType str, gateway str, protectionDomain str, readOnly bool, secretRef LocalObjectReference,
    sslEnabled bool, storageMode str, storagePool str, system str, volumeName str
SecretVolumeSource: defaultMode int32:0..511, defaultUser int64, items [KeyToPath], optional bool, secretName str
StorageOSVolumeSource: fsType str, readOnly bool, secretRef LocalObjectReference, volumeName str, volumeNamespace str
VsphereVirtualDiskVolumeSource: fsType str, storagePolicyID str, storagePolicyName str, volumePath str
PodStatus: allocatedResources {quantity}, conditions any, containerStatuses any, ephemeralContainerStatuses any,
    extendedResourceClaimStatus any, hostIP str, hostIPs [HostIP], initContainerStatuses any, message str,
    nodeAllocatableResourceClaimStatuses any, nominatedNodeName str, observedGeneration int64, phase str, podIP str,
    podIPs [PodIP], qosClass str, reason str, resize str, resourceClaimStatuses any, resources any, startTime time,
    volumeHealth any
HostIP: ip str
PodIP: ip str
PodTemplateSpec: metadata TemplateMeta, spec PodSpec
PersistentVolumeClaim #claiming: metadata PlainMeta, spec PersistentVolumeClaimSpec, status any, apiVersion str, kind str
"""
KINDS = Table(TABLE + metadata.TABLE, {**metadata.RULES, **pod_rules.RULES}, {**metadata.FORMATS, **pod_rules.FORMATS}, lenient_nulls=True)
