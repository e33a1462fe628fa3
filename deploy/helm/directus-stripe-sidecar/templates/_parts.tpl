{{/* Labels of every object, beside those that selectors use. */}}
{{- define "sidecar.labels" -}}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "sidecar.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{/* The most replicas at once: a rollout adds a quarter, rounded up. */}}
{{- define "sidecar.most" -}}
{{ add .Values.autoscaling.maxReplicas (div (add .Values.autoscaling.maxReplicas 3) 4) }}
{{- end }}

{{- define "sidecar.settings" -}}
{{- $directory := "/run/secrets/stripe-sidecar" -}}
{{- $files := prepend .Values.secretFiles "STRIPE_LIVE_SECRET_KEY" -}}
{{- $made := dict "SIDECAR_HOST" "0.0.0.0" "STRIPE_OPERATIONS" "/etc/stripe-sidecar/operations.toml" "STRIPE_EVENTS" "/etc/stripe-sidecar/events.toml" -}}
{{- if .Values.redis.enabled -}}
{{- $files = concat $files (list "REDIS" "SIDECAR_SECRET") -}}
{{- $_ := set $made "SIDECAR_REPLICAS" (toString .Values.autoscaling.maxReplicas) -}}
{{- else -}}
{{- $most := include "sidecar.most" . | int -}}
{{- range $name, $limit := dict "STRIPE_MAX_RPS" .Values.stripe.endpointLimit "STRIPE_ACCOUNT_RPS" .Values.stripe.accountLimit -}}
{{- $part := div $limit $most -}}
{{- if not (or $part (get $.Values.settings $name)) -}}
{{- fail (printf "With autoscaling.maxReplicas=%v up to %d replicas run, and for each there is less than one of the %v calls a second that Stripe allows them together (%s): turn redis on, lower maxReplicas, or set settings.%s" $.Values.autoscaling.maxReplicas $most $limit $name $name) -}}
{{- end -}}
{{- $_ := set $made $name (toString $part) -}}
{{- end -}}
{{- end -}}
{{- if .Values.reconcile.enabled -}}
{{- $files = concat $files (list "DIRECTUS_SERVICE_TOKEN" "SIDECAR_SECRET") -}}
{{- $_ := set $made "STRIPE_WRITE_BACK" "true" -}}
{{- end -}}
{{- range uniq $files -}}
{{- $_ := set $made (printf "%s_FILE" .) (printf "%s/%s" $directory .) -}}
{{- end -}}
{{- merge (deepCopy .Values.settings) $made | toYaml -}}
{{- end }}

{{- define "sidecar.operations" -}}
operations.toml: {{ .Values.operations | quote }}
events.toml: {{ .Values.events | quote }}
{{- end }}

{{- define "sidecar.securityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{/* What every pod of the sidecar may reach. */}}
{{- define "sidecar.egress" -}}
- to: {{ toYaml .Values.network.dns | nindent 4 }}
  ports:
    - {port: 53, protocol: UDP}
    - {port: 53, protocol: TCP}
- to: {{ toYaml .Values.network.directus | nindent 4 }}
  ports:
    - {port: {{ .Values.network.directusPort }}, protocol: TCP}
# Stripe has no fixed addresses, but none that are private or special, also not behind NAT64 (64:ff9b::): see
# deploy/kubernetes/standalone/networkpolicy.yaml.
- to:
    - ipBlock:
        cidr: 0.0.0.0/0
        except:
          - 0.0.0.0/8
          - 10.0.0.0/8
          - 100.64.0.0/10
          - 127.0.0.0/8
          - 168.63.129.16/32
          - 169.254.0.0/16
          - 172.16.0.0/12
          - 192.0.0.0/24
          - 192.168.0.0/16
          - 198.18.0.0/15
          - 224.0.0.0/3
    - ipBlock:
        cidr: 2000::/3
        except: ["2001:db8::/32", "2002::/16"]
    - ipBlock:
        cidr: 64:ff9b::/96
        except:
          - 64:ff9b::/104
          - 64:ff9b::a00:0/104
          - 64:ff9b::6440:0/106
          - 64:ff9b::7f00:0/104
          - 64:ff9b::a83f:8110/128
          - 64:ff9b::a9fe:0/112
          - 64:ff9b::ac10:0/108
          - 64:ff9b::c000:0/120
          - 64:ff9b::c0a8:0/112
          - 64:ff9b::c612:0/111
          - 64:ff9b::e000:0/99
  ports:
    - {port: 443, protocol: TCP}
{{- end }}
