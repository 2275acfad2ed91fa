"""THE table of commands: one row of strings for each; a command's module is imported when it is called.

The order is that of `kubectl --help`, with kpy's own group behind. `writes` creates the default cluster if there is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import NamedTuple
else:
    from minikube_py.base.record import NamedTuple


class Row(NamedTuple):
    """`target`: "module:function" below minikube_py.cli; '' for a mere group ('rollout'), which prints its help."""

    name: str
    target: str = ""
    help: str = ""
    group: str = ""
    writes: bool = False
    aliases: tuple[str, ...] = ()
    synonyms: tuple[str, ...] = ()  # only for "Did you mean this?"


BEGINNER = "Basic Commands (Beginner):"
INTERMEDIATE = "Basic Commands (Intermediate):"
DEPLOY = "Deploy Commands:"
MANAGEMENT = "Cluster Management Commands:"
TROUBLE = "Troubleshooting and Debugging Commands:"
ADVANCED = "Advanced Commands:"
SETTINGS = "Settings Commands:"
OTHER = "Other Commands:"
OWN = "Simulation Commands:"

# fmt: off
COMMANDS: tuple[Row, ...] = (
    Row("create", "create:run", "Create a resource from a file or from stdin", BEGINNER, writes=True),
    Row("create clusterrole", "create_rbac:cluster_role", writes=True),
    Row("create clusterrolebinding", "create_rbac:cluster_role_binding", writes=True),
    Row("create configmap", "create_data:config_map", writes=True, aliases=("cm",)),
    Row("create cronjob", "create_work:cron_job", writes=True, aliases=("cj",)),
    Row("create deployment", "create_work:deployment", writes=True, aliases=("deploy",)),
    Row("create ingress", "create_net:ingress", writes=True, aliases=("ing",)),
    Row("create job", "create_work:job", writes=True),
    Row("create namespace", "create_misc:namespace", writes=True, aliases=("ns",)),
    Row("create poddisruptionbudget", "create_misc:disruption_budget", writes=True, aliases=("pdb",)),
    Row("create priorityclass", "create_misc:priority_class", writes=True, aliases=("pc",)),
    Row("create quota", "create_misc:quota", writes=True, aliases=("resourcequota",)),
    Row("create role", "create_rbac:role", writes=True),
    Row("create rolebinding", "create_rbac:role_binding", writes=True),
    Row("create secret", writes=True),
    Row("create secret docker-registry", "create_data:docker_registry", writes=True),
    Row("create secret generic", "create_data:generic_secret", writes=True),
    Row("create secret tls", "create_data:tls_secret", writes=True),
    Row("create service", writes=True, aliases=("svc",)),
    Row("create service clusterip", "create_net:cluster_ip", writes=True),
    Row("create service externalname", "create_net:external_name", writes=True),
    Row("create service loadbalancer", "create_net:load_balancer", writes=True),
    Row("create service nodeport", "create_net:node_port", writes=True),
    Row("create serviceaccount", "create_misc:service_account", writes=True, aliases=("sa",)),
    Row("create token", "create_token:run"),
    Row("expose", "expose:run", "Take a replication controller, service, deployment or pod and expose it as a new Kubernetes service", BEGINNER, writes=True),
    Row("run", "run:run", "Run a particular image on the cluster", BEGINNER, writes=True),
    Row("set", "", "Set specific features on objects", BEGINNER),
    Row("set env", "set_env:run", writes=True),
    Row("set image", "set_image:run", writes=True),
    Row("set resources", "set_resources:run", writes=True),
    Row("set selector", "set_selector:run", writes=True),
    Row("set serviceaccount", "set_serviceaccount:run", writes=True, aliases=("sa",)),
    Row("set subject", "set_subject:run", writes=True),
    Row("explain", "explain:run", "Get documentation for a resource", INTERMEDIATE),
    Row("get", "get:run", "Display one or many resources", INTERMEDIATE, synonyms=("list", "ps")),
    Row("edit", "edit:run", "Edit a resource on the server", INTERMEDIATE, writes=True),
    Row("delete", "delete:run", "Delete resources by file names, stdin, resources and names, or by resources and label selector", INTERMEDIATE, writes=True, synonyms=("rm",)),
    Row("rollout", "", "Manage the rollout of a resource", DEPLOY),
    Row("rollout history", "rollout:history"),
    Row("rollout pause", "rollout:pause", writes=True),
    Row("rollout restart", "rollout:restart", writes=True),
    Row("rollout resume", "rollout:resume", writes=True),
    Row("rollout status", "rollout_status:run", writes=True),
    Row("rollout undo", "rollout_undo:run", writes=True),
    Row("scale", "scale:run", "Set a new size for a deployment, replica set, or replication controller", DEPLOY, writes=True, synonyms=("resize",)),
    Row("autoscale", "autoscale:run", "Auto-scale a deployment, replica set, stateful set, or replication controller", DEPLOY, writes=True),
    Row("certificate", "", "Modify certificate resources", MANAGEMENT),
    Row("certificate approve", "certificate:approve", writes=True),
    Row("certificate deny", "certificate:deny", writes=True),
    Row("cluster-info", "cluster_info:run", "Display cluster information", MANAGEMENT),
    Row("cluster-info dump", "cluster_dump:run"),
    Row("top", "", "Display resource (CPU/memory) usage", MANAGEMENT),
    Row("top node", "top:node", aliases=("nodes", "no")),
    Row("top pod", "top:pod", aliases=("pods", "po")),
    Row("cordon", "cordon:cordon", "Mark node as unschedulable", MANAGEMENT, writes=True),
    Row("uncordon", "cordon:uncordon", "Mark node as schedulable", MANAGEMENT, writes=True),
    Row("drain", "drain:run", "Drain node in preparation for maintenance", MANAGEMENT, writes=True),
    Row("taint", "taint:run", "Update the taints on one or more nodes", MANAGEMENT, writes=True),
    Row("describe", "describe:run", "Show details of a specific resource or group of resources", TROUBLE),
    Row("logs", "logs:run", "Print the logs for a container in a pod", TROUBLE),
    Row("attach", "attach:run", "Attach to a running container", TROUBLE, writes=True),
    Row("exec", "exec:run", "Execute a command in a container", TROUBLE, writes=True),
    Row("port-forward", "forwarding:port_forward", "Forward one or more local ports to a pod", TROUBLE),
    Row("proxy", "forwarding:proxy", "Run a proxy to the Kubernetes API server", TROUBLE),
    Row("cp", "cp:run", "Copy files and directories to and from containers", TROUBLE, writes=True),
    Row("auth", "", "Inspect authorization", TROUBLE),
    Row("auth can-i", "auth:can_i"),
    Row("auth reconcile", "auth_reconcile:run", writes=True),
    Row("auth whoami", "auth:whoami"),
    Row("debug", "debug:run", "Create debugging sessions for troubleshooting workloads and nodes", TROUBLE, writes=True),
    Row("events", "events:run", "List events", TROUBLE),
    Row("diff", "diff:run", "Diff the live version against a would-be applied version", ADVANCED),
    Row("apply", "apply:run", "Apply a configuration to a resource by file name or stdin", ADVANCED, writes=True),
    Row("apply edit-last-applied", "apply_last:edit_last_applied", writes=True),
    Row("apply set-last-applied", "apply_last:set_last_applied", writes=True),
    Row("apply view-last-applied", "apply_view:run"),
    Row("patch", "patch:run", "Update fields of a resource", ADVANCED, writes=True),
    Row("replace", "replace:run", "Replace a resource by file name or stdin", ADVANCED, writes=True),
    Row("wait", "wait:run", "Wait for a specific condition on one or many resources", ADVANCED, writes=True),
    Row("kustomize", "kustomize:run", "Build a kustomization target from a directory or URL", ADVANCED),
    Row("label", "label:label", "Update the labels on a resource", SETTINGS, writes=True),
    Row("annotate", "label:annotate", "Update the annotations on a resource", SETTINGS, writes=True),
    Row("completion", "completion:run", "Output shell completion code for the specified shell (bash, zsh, fish, or powershell)", SETTINGS),
    Row("api-resources", "api_resources:run", "Print the supported API resources on the server", OTHER),
    Row("api-versions", "api_resources:versions", 'Print the supported API versions on the server, in the form of "group/version"', OTHER),
    Row("config", "", "Modify kubeconfig files", OTHER),
    Row("config current-context", "config:current_context"),
    Row("config delete-cluster", "config:delete"),
    Row("config delete-context", "config:delete"),
    Row("config delete-user", "config:delete_user"),
    Row("config get-clusters", "config:get_clusters"),
    Row("config get-contexts", "config:get_contexts"),
    Row("config get-users", "config:get_users"),
    Row("config rename-context", "config:rename_context", aliases=("rename",)),
    Row("config set", "config:set_property"),
    Row("config set-cluster", "config:set_cluster"),
    Row("config set-credentials", "config:set_credentials"),
    Row("config unset", "config:unset"),
    Row("config set-context", "config:set_context"),
    Row("config use-context", "config:use_context", aliases=("use",)),
    Row("config view", "config:view"),
    Row("kuberc", "", "Manage kuberc configuration files", OTHER),
    Row("kuberc set", "kuberc:set_value"),
    Row("kuberc view", "kuberc:view"),
    Row("plugin", "", "Provides utilities for interacting with plugins", OTHER),
    Row("plugin list", "plugin:run_list"),
    Row("version", "version:run", "Print the client and server version information", OTHER),
    Row("alpha", "help:alpha"),
    Row("options", "help:options"),
    Row("help", "help:run"),
    Row("reconcile", "reconcile:app", "Run the simulation until nothing is left to do, for a time, or until a condition holds", OWN),
    Row("cluster", "clusters:app", "Start, list, choose, check, delete, save and restore clusters", OWN),
    Row("image", "images:app", "List the images of the simulated registry, and add, remove and break them", OWN, writes=True),
    Row("node", "nodes:app", "Add, remove, fail, recover and reboot nodes", OWN, writes=True),
    Row("curl", "curl:app", "Follow a request from a pod, a node or outside to the container that answers", OWN),
    Row("policy", "policy:app", "Test roles, policies and webhooks: who may do what", OWN),
    Row("webhook", "webhook:app", "Say what admission webhooks answer that cannot be called here", OWN, writes=True),
    Row("dns", "dns:app", "Look a name up as a pod would", OWN),
    Row("traffic", "traffic:app", "Send requests over virtual time, and see what came of them", OWN, writes=True),
    Row("serve", "serve:app", "Serve the Kubernetes API, for kubectl, helm, client libraries and operators", OWN, writes=True),
    Row("history", "log:history_app", "Show who changed what, when and why", OWN),
    Row("explain-schedule", "scheduling:explain_app", "Show why a pod goes to its node, or to none", OWN),
    Row("capacity", "scheduling:capacity_app", "Count how many copies of a pod fit, and what ends it", OWN),
    Row("autoscale-report", "autoscale_report:app", "Show each decision of an autoscaler with its arithmetic", OWN),
    Row("what-if", "what_if:app", "Run each of several files on its own copy of the cluster, and compare", OWN),
    Row("sql", "log:sql_app", "Ask the cluster's file a question in SQL", OWN),
    Row("digest", "log:digest_app", "Print one hash of the cluster's whole state", OWN),
)
# fmt: on

TOP = tuple(row.name for row in COMMANDS if " " not in row.name)
KUBECTL = tuple(row.name for row in COMMANDS if row.group not in ("", OWN))  # what kubectl suggests
_BY_NAME = {row.name: row for row in COMMANDS}
_BY_ALIAS = {" ".join((*row.name.split(" ")[:-1], alias)): row.name for row in COMMANDS for alias in row.aliases}


def find(name: str) -> Row | None:
    """The row of 'rollout status', or of an alias such as 'create cm'."""
    return _BY_NAME.get(name) or _BY_NAME.get(_BY_ALIAS.get(name, ""))


def children(name: str) -> tuple[Row, ...]:
    """The rows one level below a command."""
    depth = name.count(" ") + 1
    return tuple(row for row in COMMANDS if row.name.startswith(name + " ") and row.name.count(" ") == depth)


def load(target: str) -> Any:
    """The function (or Typer app) of "module:function" below minikube_py.cli."""
    from importlib import import_module

    module, _, function = target.partition(":")
    return getattr(import_module(f"minikube_py.cli.{module}"), function)
