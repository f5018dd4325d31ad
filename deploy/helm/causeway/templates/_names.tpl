{{- define "causeway.labels" -}}
app.kubernetes.io/name: causeway
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "causeway.members" -}}
{{- $name := .Release.Name -}}
{{- $namespace := .Release.Namespace -}}
{{- range $ordinal := until (int .Values.founders) -}}
{{- if $ordinal }},{{ end -}}
{{ $name }}-{{ $ordinal }}={{ $name }}-{{ $ordinal }}.{{ $name }}-peers.{{ $namespace }}.svc:50051
{{- end -}}
{{- end -}}
