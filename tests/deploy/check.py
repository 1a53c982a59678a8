"""Checks the files of deploy/ and k8s/ without a cluster: that they parse, that what they refer to exists, and that the
rights they promise are the rights they give. Prints one line a fault; exits 1 if there is one.

usage: check.py TREE
"""
import configparser
import pathlib
import re
import sys

import yaml

tree = pathlib.Path(sys.argv[1])
faults = []


def check(holds, what):
    if not holds:
        faults.append(what)


def load(path):
    try:
        return [document for document in yaml.safe_load_all(path.read_text()) if document]
    except yaml.YAMLError as error:
        faults.append(f"{path}: {error}")
        return []


# --- Kubernetes -------------------------------------------------------------------------------------------------------
for path in sorted((tree / "k8s").rglob("*.yaml")):
    load(path)
for path in sorted((tree / "k8s").rglob("kustomization.yaml")):
    (kustomization,) = load(path)
    for name in kustomization.get("resources", []) + [patch["path"] for patch in kustomization.get("patches", [])]:
        check((path.parent / name).exists(), f"{path}: names {name}, which does not exist")
    for key in ("commonLabels", "patchesStrategicMerge"):
        check(key not in kustomization, f"{path}: {key} is deprecated")
    for generator in kustomization.get("configMapGenerator", []):
        for name in generator.get("files", []):
            check((path.parent / name).exists(), f"{path}: configMapGenerator names {name}, which does not exist")

base = tree / "k8s" / "base"
(kustomization,) = load(base / "kustomization.yaml")
objects = [document for name in kustomization["resources"] for document in load(base / name)]
of_kind = lambda kind: [document for document in objects if document["kind"] == kind]
(stateful,) = of_kind("StatefulSet")
spec, name = stateful["spec"], stateful["metadata"]["name"]
pod = spec["template"]["spec"]
labels = dict(spec["template"]["metadata"]["labels"])
for added in kustomization["labels"]:
    labels.update(added["pairs"] if added.get("includeTemplates") else {})
(container,) = pod["containers"]
ports = {port["name"]: port["containerPort"] for port in container["ports"]}
services = {service["metadata"]["name"]: service["spec"] for service in of_kind("Service")}

check(spec["replicas"] == 1, "StatefulSet: one replica, shards do not know each other")
check(spec["podManagementPolicy"] == "Parallel", "StatefulSet: pods must start in parallel")
check(services.get(spec["serviceName"], {}).get("clusterIP") == "None", "StatefulSet: serviceName must be a headless service")
check(spec["selector"]["matchLabels"].items() <= labels.items(), "StatefulSet: the selector does not match its pods")
for ordinal in range(spec["replicas"]):
    own = services.get(f"{name}-{ordinal}", {})
    check(own.get("type") == "LoadBalancer" and own.get("externalTrafficPolicy") == "Local", f"pod {ordinal} has no address of its own")
    check(own.get("selector", {}).get("statefulset.kubernetes.io/pod-name") == f"{name}-{ordinal}", f"service of pod {ordinal} selects others")
for service, wanted in services.items():
    for port in wanted["ports"]:
        check(port["targetPort"] in ports and ports[port["targetPort"]] == port["port"], f"service {service}: port {port['name']}")
for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
    check(container[probe]["httpGet"]["port"] == "health", f"{probe} does not ask the health port")
check(ports == {"link": 7443, "health": 9464}, "the ports are 7443 (link) and 9464 (health)")
check(pod["securityContext"]["runAsNonRoot"] is True and pod["securityContext"]["runAsUser"] > 0, "the pod may run as root")
for one in [container, *pod["initContainers"]]:
    context = one["securityContext"]
    check(context["readOnlyRootFilesystem"] and not context["allowPrivilegeEscalation"] and context["capabilities"]["drop"] == ["ALL"],
          f"container {one['name']} has more rights than it needs")
    check("memory" in one["resources"]["limits"], f"container {one['name']} has no memory limit")
volumes = {volume["name"] for volume in pod["volumes"]} | {claim["metadata"]["name"] for claim in spec["volumeClaimTemplates"]}
for one in [container, *pod["initContainers"]]:
    for mount in one["volumeMounts"]:
        check(mount["name"] in volumes, f"container {one['name']} mounts {mount['name']}, which is no volume")
generated = {generator["name"] for generator in kustomization["configMapGenerator"]}
for volume in pod["volumes"]:
    if "configMap" in volume:
        check(volume["configMap"]["name"] in generated, f"configMap {volume['configMap']['name']} is made nowhere")
check(any(volume.get("secret", {}).get("secretName") == "iris-cloud-pki" for volume in pod["volumes"]), "the PKI's Secret is not referred to")
for kind, selector in (("PodDisruptionBudget", "selector"), ("NetworkPolicy", "podSelector")):
    (document,) = of_kind(kind)
    check(document["spec"][selector]["matchLabels"].items() <= labels.items(), f"{kind} does not select the pods")

# --- the gateway ------------------------------------------------------------------------------------------------------
(compose,) = load(tree / "deploy" / "gateway-compose.yml")
(node,) = compose["services"].values()
rights = set(node["cap_add"])
check(node["cap_drop"] == ["ALL"] and not node.get("privileged"), "gateway-compose.yml: capabilities are not dropped first")
check(rights == {"SYS_ADMIN", "NET_ADMIN", "NET_RAW", "SYS_PTRACE", "DAC_READ_SEARCH"}, "gateway-compose.yml: capabilities changed")
check(node["read_only"] is True and "no-new-privileges:true" in node["security_opt"], "gateway-compose.yml: root is writable")
for volume in node["volumes"]:
    check(volume.endswith(":/var/lib/iris") or volume.endswith(":ro"), f"gateway-compose.yml: {volume} is writable")
check("mem_limit" in node and "pids_limit" in node, "gateway-compose.yml: no limits")

unit = configparser.ConfigParser(strict=False, interpolation=None)
unit.optionxform = str
unit.read_string((tree / "deploy" / "iris-node.service").read_text())
bounded = set(unit["Service"]["CapabilityBoundingSet"].replace("CAP_", "").split())
check(bounded - {"BPF", "PERFMON"} == rights - {"SYS_ADMIN"}, "iris-node.service and gateway-compose.yml give different rights")

# --- images -----------------------------------------------------------------------------------------------------------
for path in sorted((tree / "deploy").glob("*.Dockerfile")):
    text = path.read_text()
    check(text.count("FROM debian:bookworm-slim") >= 2 and " AS runtime" in text and " AS build" in text, f"{path}: stages")
    for line in re.findall(r"^COPY (?!--from)(.*)$", text, re.M):
        for source in line.split()[:-1]:
            check(source.startswith("build/bin/") or (tree / source).exists(), f"{path}: COPY {source}, which does not exist")

for fault in faults:
    print("FAULT", fault)
print(f"{len(objects)} Kubernetes objects, {len(node['volumes'])} volumes of the node checked: {len(faults)} faults")
sys.exit(1 if faults else 0)
