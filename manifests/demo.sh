#!/usr/bin/env bash
# The main job, typed as you would type it. Needs `kpy` on the PATH; leaves nothing behind.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export KPY_HOME
KPY_HOME=$(mktemp -d "${TMPDIR:-/tmp}/kpy-demo.XXXXXX")
trap 'rm -rf "$KPY_HOME"' EXIT
cd "$here"

say() { printf '\n\033[1m# %s\033[0m\n' "$*"; }
run() { printf '$ %s\n' "$*"; "$@"; }

say "A cluster is one SQLite file: a control plane and two workers, on a virtual clock."
run kpy cluster start demo --nodes 3 --epoch 2026-01-01T00:00:00Z --seed 7
run kpy get nodes

say "API server and store: apply checks the manifest, fills in the defaults and stores it. Nothing runs yet."
run kpy apply -f 02-web.yaml
run kpy get deployments,pods

say "One pass at a time: the controllers make pods, the scheduler gives each a node, the kubelets start them."
run kpy reconcile --step
say "And on until nothing is left to do. The clock jumps from event to event."
run kpy reconcile
run kpy get deploy,rs,pods,svc -o wide
run kpy describe deployment web-app

say "A new image rolls out without ever falling below the floor."
run kpy set image deployment/web-app web-app=gcr.io/shop/web-app:2.0
run kpy annotate deployment/web-app kubernetes.io/change-cause="version 2.0"
run kpy rollout status deployment/web-app
run kpy rollout history deployment/web-app
run kpy get rs

say "And back again."
run kpy rollout undo deployment/web-app
run kpy rollout status deployment/web-app
run kpy reconcile
run kpy get rs

node=$(kpy get pods -o jsonpath='{.items[0].spec.nodeName}')
say "Node $node dies. After 45 s it counts as lost, after five more minutes its pods are replaced elsewhere."
run kpy node fail "$node"
run kpy reconcile --for 7m
run kpy get nodes
run kpy get pods -o wide
run kpy events --types Warning
say "It comes back: the old pods are cleared away, the new ones stay where they are."
run kpy node recover "$node"
run kpy reconcile
run kpy get nodes
run kpy get pods -o wide
say "Seven virtual minutes in a few seconds, and the same bytes the next time: 'make test' proves it."
