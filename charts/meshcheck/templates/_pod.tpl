{{/*
The pod of all three ways to run. Arguments: root, component, args, restart ("" for the default), probes, sidecar.
*/}}
{{- define "meshcheck.pod" -}}
{{- $ := .root -}}
metadata:
  labels:
    {{- include "meshcheck.selector" $ | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
    sidecar.istio.io/inject: {{ .sidecar | quote }}
    {{- with $.Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    kubectl.kubernetes.io/default-container: meshcheck
    {{- if eq .sidecar "true" }}
    # the sidecar's agent serves these metrics beside its own, on 15020
    prometheus.io/scrape: "true"
    prometheus.io/port: {{ $.Values.watch.port | quote }}
    prometheus.io/path: /metrics
    # the API server is asked at once: not before there is a way to it
    proxy.istio.io/config: '{"holdApplicationUntilProxyStarts": true}'
    {{- end }}
    {{- with $.Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "meshcheck.serviceAccount" $ }}
  automountServiceAccountToken: true
  enableServiceLinks: false
  {{- with .restart }}
  restartPolicy: {{ . }}
  {{- end }}
  {{- with $.Values.imagePullSecrets }}
  imagePullSecrets: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $.Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with $.Values.podSecurityContext }}
  securityContext: {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: meshcheck
      image: {{ include "meshcheck.image" $ | quote }}
      imagePullPolicy: {{ $.Values.image.pullPolicy }}
      args: {{- toYaml .args | nindent 8 }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: {drop: [ALL]}
      {{- if .probes }}
      ports:
        - {name: http-metrics, containerPort: {{ $.Values.watch.port }}}
      livenessProbe:
        httpGet: {path: /healthz, port: http-metrics}
        periodSeconds: 20
      readinessProbe:
        httpGet: {path: /readyz, port: http-metrics}
        periodSeconds: 5
      {{- end }}
      resources: {{- toYaml $.Values.resources | nindent 8 }}
      volumeMounts:
        - {name: config, mountPath: /etc/meshcheck, readOnly: true}
        {{- with $.Values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    - name: config
      configMap: {name: {{ include "meshcheck.fullname" $ }}-config}
    {{- with $.Values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with $.Values.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $.Values.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $.Values.affinity }}
  affinity: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{/* The spec of a Job: verdicts (1, 3) are not tried again, an API server that is away (2) is, and so is a drained node. */}}
{{- define "meshcheck.jobSpec" -}}
backoffLimit: 2
activeDeadlineSeconds: 1800
ttlSecondsAfterFinished: 86400
podFailurePolicy:
  rules:
    - action: Ignore
      onPodConditions: [{type: DisruptionTarget, status: "True"}]
    - action: FailJob
      onExitCodes: {containerName: meshcheck, operator: In, values: [1, 3]}
template:
  {{- include "meshcheck.pod" . | nindent 2 }}
{{- end -}}
