{{- define "x" -}}
ghcr.io/acme/shop:1.4.1
{{- end }}
