{{- define "tracking.name" -}}
{{- if contains "tracking" .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-tracking" (.Release.Name | trunc 31 | trimSuffix "-") }}{{ end }}
{{- end }}

{{- /* Labels of selectors: never changed, and without those that Argo CD writes itself. Takes (list $ component). */ -}}
{{- define "tracking.selector" -}}
dockyard.io/stack: {{ include "tracking.name" (index . 0) }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "tracking.labels" -}}
{{ include "tracking.selector" . }}
app.kubernetes.io/name: mlflow-tracking
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/version: {{ (index . 0).Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
{{- end }}

{{- define "tracking.image" -}}
{{- $image := .Values.image -}}
{{- if not (or $image.tag $image.digest) }}{{ fail "image.tag or image.digest is required" }}{{ end -}}
{{ required "image.repository is required" $image.repository }}{{ with $image.tag }}:{{ . }}{{ end }}{{ with $image.digest }}@{{ . }}{{ end }}
{{- end }}

{{- define "tracking.databaseHost" -}}
{{- if .Values.mysql.enabled -}}
{{- if or .Values.database.host (ne .Values.database.dialect "mysql") }}{{ fail "mysql.enabled runs the database itself: leave database.host empty and database.dialect mysql" }}{{ end -}}
{{ include "tracking.name" . }}-mysql
{{- else -}}
{{ required "database.host is required, or mysql.enabled" .Values.database.host }}
{{- end }}
{{- end }}

{{- define "tracking.databasePort" -}}
{{ .Values.database.port | default (eq .Values.database.dialect "mysql" | ternary 3306 5432) }}
{{- end }}

{{- define "tracking.servicePort" -}}
{{ .Values.service.port | default (empty .Values.tls.secretName | ternary 80 443) }}
{{- end }}

{{- /* Where clients find the server. Whether a Gateway speaks TLS is not to be seen from here. */ -}}
{{- define "tracking.url" -}}
{{- $values := .Values -}}
{{- $port := include "tracking.servicePort" . -}}
{{- $scheme := empty $values.tls.secretName | ternary "http" "https" -}}
{{- $host := printf "%s.%s" (include "tracking.name" .) .Release.Namespace -}}
{{- if ne $port (eq $scheme "http" | ternary "80" "443") }}{{ $host = printf "%s:%s" $host $port }}{{ end -}}
{{- if $values.ingress.enabled }}{{ $scheme = empty $values.ingress.tlsSecretName | ternary "http" "https" }}{{ $host = first $values.ingress.hosts -}}
{{- else if and $values.httpRoute.enabled $values.httpRoute.hostnames }}{{ $scheme = "http" }}{{ $host = first $values.httpRoute.hostnames }}{{ end -}}
{{ $values.url | default (printf "%s://%s%s" $scheme $host $values.staticPrefix) }}
{{- end }}

{{- define "tracking.s3Endpoint" -}}
{{- if .Values.objectStore.enabled -}}
{{- if .Values.artifacts.endpoint }}{{ fail "objectStore.enabled runs S3 itself: leave artifacts.endpoint empty" }}{{ end -}}
http://{{ include "tracking.name" . }}-s3:7070
{{- else -}}
{{ .Values.artifacts.endpoint }}
{{- end }}
{{- end }}

{{- /* Every name by which a client may call, with and without its port. */ -}}
{{- define "tracking.allowedHosts" -}}
{{- $service := include "tracking.name" . -}}
{{- $space := .Release.Namespace -}}
{{- $names := list $service (printf "%s.%s" $service $space) (printf "%s.%s.svc" $service $space) (printf "%s.%s.svc.cluster.local" $service $space) -}}
{{- if .Values.ingress.enabled }}{{ $names = concat $names .Values.ingress.hosts }}{{ end -}}
{{- if .Values.httpRoute.enabled }}{{ $names = concat $names .Values.httpRoute.hostnames }}{{ end -}}
{{- with .Values.url }}{{ $names = append $names (regexReplaceAll ":[0-9]+$" (urlParse .).host "") }}{{ end -}}
{{- $hosts := list -}}
{{- range concat (list "localhost" "127.0.0.1" "$(POD_IP)") $names .Values.allowedHosts | uniq }}{{ $hosts = append $hosts . }}{{ $hosts = append $hosts (printf "%s:*" .) }}{{ end -}}
{{ $hosts | uniq | join "," }}
{{- end }}

{{- define "tracking.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "tracking.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- /* What server and migration are told of the database. */ -}}
{{- define "tracking.databaseEnv" -}}
{{- $database := .Values.database -}}
- {name: DOCKYARD_TRACKING_DATABASE_DIALECT, value: {{ $database.dialect }}}
- {name: DOCKYARD_TRACKING_DATABASE_HOST, value: {{ include "tracking.databaseHost" . | quote }}}
- {name: DOCKYARD_TRACKING_DATABASE_PORT, value: {{ include "tracking.databasePort" . | quote }}}
- {name: DOCKYARD_TRACKING_DATABASE_NAME, value: {{ $database.name | quote }}}
- {name: DOCKYARD_TRACKING_DATABASE_USER, value: {{ $database.user | quote }}}
- {name: DOCKYARD_TRACKING_DATABASE_LOGIN, value: {{ $database.login }}}
{{- if eq $database.login "password" }}
- {name: DOCKYARD_TRACKING_DATABASE_PASSWORD_FILE, value: /run/dockyard/database/password}
{{- else if not $database.tlsConfigMap }}{{ fail "database.login iam needs database.tlsConfigMap" }}
{{- end }}
{{- if $database.tlsConfigMap }}
- {name: DOCKYARD_TRACKING_DATABASE_TLS_CA, value: /run/dockyard/database-ca/ca.crt}
{{- end }}
{{- if ne .Values.auth.mode "none" }}
- {name: DOCKYARD_TRACKING_AUTH, value: {{ .Values.auth.mode }}}
- {name: DOCKYARD_TRACKING_AUTH_SECRETS, value: /run/dockyard/auth}
{{- end }}
- {name: AWS_DEFAULT_REGION, value: {{ .Values.artifacts.region | quote }}}
{{- end }}

{{- /* What the server is told, and what does its upkeep. */ -}}
{{- define "tracking.serverEnv" -}}
- name: POD_IP
  valueFrom: {fieldRef: {fieldPath: status.podIP}}
{{ include "tracking.databaseEnv" . }}
- {name: DOCKYARD_TRACKING_ARTIFACTS, value: "s3://{{ required "artifacts.bucket is required" .Values.artifacts.bucket }}/{{ .Values.artifacts.prefix }}"}
- {name: DOCKYARD_TRACKING_ARTIFACT_ACCESS, value: {{ .Values.artifacts.access }}}
{{- if .Values.artifacts.secretName }}
- {name: DOCKYARD_TRACKING_S3_CREDENTIALS, value: /run/dockyard/s3}
{{- end }}
{{- if or .Values.objectStore.enabled .Values.artifacts.endpoint }}
- {name: MLFLOW_S3_ENDPOINT_URL, value: {{ include "tracking.s3Endpoint" . | quote }}}
{{- end }}
{{- with .Values.staticPrefix }}
- {name: DOCKYARD_TRACKING_STATIC_PREFIX, value: {{ . | quote }}}
{{- end }}
- {name: DOCKYARD_TRACKING_GRACE_SECONDS, value: {{ .Values.drain.graceSeconds | quote }}}
- {name: DOCKYARD_TRACKING_METRICS, value: {{ .Values.metrics.enabled | quote }}}
- {name: MLFLOW_SERVER_ALLOWED_HOSTS, value: {{ include "tracking.allowedHosts" . | quote }}}
{{- with .Values.corsOrigins }}
- {name: MLFLOW_SERVER_CORS_ALLOWED_ORIGINS, value: {{ join "," . | quote }}}
{{- end }}
{{- range $key, $value := .Values.env }}
- {name: {{ $key }}, value: {{ $value | quote }}}
{{- end }}
{{- end }}

{{- define "tracking.databaseMounts" -}}
- {name: tmp, mountPath: /tmp}
{{- if eq .Values.database.login "password" }}
- {name: database, mountPath: /run/dockyard/database, readOnly: true}
{{- end }}
{{- if .Values.database.tlsConfigMap }}
- {name: database-ca, mountPath: /run/dockyard/database-ca, readOnly: true}
{{- end }}
{{- end }}

{{- define "tracking.s3Mounts" -}}
{{- if .Values.artifacts.secretName }}
- {name: s3, mountPath: /run/dockyard/s3, readOnly: true}
{{- end }}
{{- end }}

{{- define "tracking.s3Volumes" -}}
{{- with .Values.artifacts.secretName }}
- name: s3
  secret: {secretName: {{ . }}, defaultMode: 0440}
{{- end }}
{{- end }}

{{- define "tracking.databaseVolumes" -}}
{{- if eq .Values.database.login "password" }}
- name: database
  secret:
    secretName: {{ required "database.secretName is required: a Secret with the password" .Values.database.secretName }}
    defaultMode: 0440
    items: [{key: {{ .Values.database.passwordKey | quote }}, path: password}]
{{- end }}
{{- with .Values.database.tlsConfigMap }}
- name: database-ca
  configMap: {name: {{ . }}, items: [{key: ca.crt, path: ca.crt}]}
{{- end }}
{{- end }}
