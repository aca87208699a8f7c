{{- /* oauth2-proxy before the server of the same pod: who has not signed in gets no further. */ -}}
{{- define "tracking.proxy" -}}
{{- $oidc := .Values.oidc }}
{{- if ne .Values.auth.mode "none" }}{{ fail "oidc.enabled and auth.mode basic both read the same header: take one" }}{{ end }}
{{- if .Values.tls.secretName }}{{ fail "oidc.enabled does not go with tls.secretName: let the Ingress or Gateway speak TLS" }}{{ end }}
{{- if not .Values.networkPolicy.enabled }}{{ fail "oidc.enabled needs networkPolicy.enabled, which keeps clients from the port behind the proxy" }}{{ end }}
{{- with regexFind ":v?[0-9]+[.][0-9]+[.][0-9]+" $oidc.image }}
{{- if semverCompare "<7.12.0" (trimPrefix ":" .) }}{{ fail "oidc.image reads its cookie secret from no file: take oauth2-proxy 7.12 or later" }}{{ end }}
{{- end }}
- name: proxy
  image: {{ required "oidc.image is required: oauth2-proxy, by digest" $oidc.image }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  args:
    - --provider=oidc
    - --oidc-issuer-url={{ required "oidc.issuer is required" $oidc.issuer }}
    - --client-id={{ required "oidc.clientId is required" $oidc.clientId }}
    - --client-secret-file=/run/dockyard/oidc/client-secret
    - --cookie-secret-file=/run/dockyard/oidc/cookie-secret
    - --http-address=0.0.0.0:4180
    - --upstream=http://127.0.0.1:5000
    - --reverse-proxy=true
    - --skip-provider-button=true
    # MLflow's clients send a token of the issuer's as MLFLOW_TRACKING_TOKEN; browsers sign in.
    - --skip-jwt-bearer-tokens=true
    {{- range $oidc.emailDomains }}
    - --email-domain={{ . }}
    {{- end }}
    {{- if .Values.metrics.serviceMonitor }}
    - --skip-auth-route=GET=^{{ .Values.staticPrefix }}/metrics$
    {{- end }}
  ports:
    - {name: proxy, containerPort: 4180}
  readinessProbe:
    httpGet: {path: /ready, port: proxy}
    periodSeconds: 5
  livenessProbe:
    httpGet: {path: /ping, port: proxy}
    periodSeconds: 10
  securityContext: {{- include "tracking.containerSecurity" . | nindent 4 }}
  resources: {{- toYaml $oidc.resources | nindent 4 }}
  volumeMounts:
    - {name: oidc, mountPath: /run/dockyard/oidc, readOnly: true}
{{- end }}
