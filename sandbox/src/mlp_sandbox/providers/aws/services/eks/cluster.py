"""EKS clusters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from mlp_sandbox.providers.aws.resource import AutoName, Aws, Field, Handler, Props
from mlp_sandbox.providers.aws.services._common import REGION, TAGS, Problems, given, missing, present
from mlp_sandbox.providers.aws.services.eks._base import GONE, EksHandler, Live, stamp

NAME = r"[0-9A-Za-z][A-Za-z0-9\-_]{0,99}"  # https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateCluster.html
LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")
CHOICES = {
    "accessConfig": ("authenticationMode", ("API", "API_AND_CONFIG_MAP", "CONFIG_MAP")),
    "kubernetesNetworkConfig": ("ipFamily", ("ipv4",)),
    "upgradePolicy": ("supportType", ("STANDARD", "EXTENDED")),
}
AUTO_MODE = "the sandbox has no EKS Auto Mode; use managed node groups"
FIXED = "the control plane's components run with the settings of EKS; leave it out"
ADMIN = "bootstrapClusterCreatorAdminPermissions"
ONLY_AT_CREATION = (
    ("accessConfig", ADMIN),
    ("kubernetesNetworkConfig", "ipFamily"),
    ("kubernetesNetworkConfig", "serviceIpv4Cidr"),
)
ENDPOINT = ("endpointPrivateAccess", "endpointPublicAccess", "publicAccessCidrs")


class Cluster(EksHandler):
    token = "aws:eks/cluster:Cluster"
    autoname = AutoName(max_length=100)
    timeout = 3600.0  # upstream: 30 minutes for a creation, 60 for an update
    outputs = (
        *("arn", "certificateAuthority", "clusterId", "createdAt", "endpoint", "identities", "platformVersion"),
        "status",
    )
    unsupported: ClassVar[Mapping[str, str]] = {
        "computeConfig": AUTO_MODE,
        "storageConfig": AUTO_MODE,
        "controlPlaneScalingConfig": "the sandbox has one size of control plane; leave it out",
        **dict.fromkeys(("kubeApiServerConfig", "kubeControllerManagerConfig", "kubeSchedulerConfig"), FIXED),
        "defaultAddonsToRemoves": "set bootstrapSelfManagedAddons to false instead",
        "outpostConfig": "an emulated account has no Outposts; leave it out",
        "remoteNetworkConfig": "the sandbox has no hybrid nodes; leave it out",
    }
    fields: ClassVar[Mapping[str, Field]] = {
        **{name: Field(computed=True) for name in unsupported},
        **REGION,
        **TAGS,
        "accessConfig": Field(computed=True, inner=("authenticationMode",)),
        "bootstrapSelfManagedAddons": Field(replace=True, default=True, write_only=True),
        "deletionProtection": Field(default=False),
        "enabledClusterLogTypes": Field(kind="set"),
        "encryptionConfig": Field(kind="sets"),
        "forceUpdateVersion": Field(default=False, write_only=True),
        "kubernetesNetworkConfig": Field(
            computed=True, inner=("elasticLoadBalancing", "ipFamily", "serviceIpv4Cidr", "serviceIpv6Cidr")
        ),
        "name": Field(replace=True),
        "roleArn": Field(replace=True),
        "upgradePolicy": Field(computed=True, inner=("supportType",)),
        "version": Field(computed=True),
        "vpcConfig": Field(
            kind="sets",
            nested={"endpointPrivateAccess": False, "endpointPublicAccess": True, "securityGroupIds": []},
            inner=("clusterSecurityGroupId", "publicAccessCidrs", "vpcId"),
        ),
        "zonalShiftConfig": Field(default={"enabled": False}),
    }

    def check(self, inputs: Props) -> Problems:
        problems = super().check(inputs)
        problems += [(name, "is missing") for name in ("roleArn", "vpcConfig") if name not in inputs]
        name, vpc = inputs.get("name"), inputs.get("vpcConfig")
        if isinstance(name, str) and not re.fullmatch(NAME, name):
            rule = "begin with a letter or digit, use letters, digits, '-' and '_', at most 100"
            problems.append(("name", f"is {name!r}: {rule}"))
        for field, (key, allowed) in CHOICES.items():
            value = inputs[field].get(key) if isinstance(inputs.get(field), dict) else None
            if isinstance(value, str) and value not in allowed:
                problems.append((field, f"has {key} {value!r}: give one of {', '.join(allowed)}"))
        types = inputs.get("enabledClusterLogTypes")
        for kind in types if isinstance(types, list) else []:
            if isinstance(kind, str) and kind not in LOG_TYPES:
                problems.append(("enabledClusterLogTypes", f"has {kind!r}: give some of {', '.join(LOG_TYPES)}"))
        if isinstance(vpc, dict) and vpc.get("endpointPublicAccess") is False and not vpc.get("endpointPrivateAccess"):
            problems.append(("vpcConfig", "has neither a public nor a private endpoint: set endpointPrivateAccess"))
        return problems

    def create(self, aws: Aws, inputs: Props) -> str:
        name = str(inputs["name"])
        self.client(aws, inputs).create_cluster(
            name=name,
            roleArn=inputs["roleArn"],
            resourcesVpcConfig=inputs["vpcConfig"],
            bootstrapSelfManagedAddons=inputs.get("bootstrapSelfManagedAddons", True),
            **given(
                **{key: inputs.get(key) for key in ("accessConfig", "deletionProtection", "kubernetesNetworkConfig")},
                **{key: inputs.get(key) for key in ("upgradePolicy", "version", "zonalShiftConfig")},
                encryptionConfig=[inputs["encryptionConfig"]] if inputs.get("encryptionConfig") else None,
                logging=_logging(inputs) if inputs.get("enabledClusterLogTypes") else None,
                tags=inputs.get("tags") or None,
            ),
        )
        aws.created(name)
        self._wait(aws, name, inputs, ("ACTIVE",))
        return name

    def read(self, aws: Aws, id: str, inputs: Props) -> Props | None:
        return {"region": self.region(aws, inputs), **_props(self._find(aws, id, inputs), inputs)}

    def update(self, aws: Aws, id: str, old: Props, new: Props, changed: set[str]) -> None:
        # One kind of change per call, the version first, as upstream: EKS rejects several at once.
        eks = self.client(aws, new)
        if "version" in changed:
            reply = eks.update_cluster_version(
                name=id, version=new["version"], force=new.get("forceUpdateVersion", False)
            )
            self.follow(aws, f"EKS cluster {id}", new, reply, name=id)
        for config in self._changes(old, new, changed):
            reply = eks.update_cluster_config(name=id, **config)
            self.follow(aws, f"EKS cluster {id}", new, reply, name=id)
        if "encryptionConfig" in changed:
            if old.get("encryptionConfig"):
                raise ValueError(f"encryptionConfig of {id}: EKS keeps the key that a cluster has; give the same one")
            reply = eks.associate_encryption_config(clusterName=id, encryptionConfig=[new["encryptionConfig"]])
            self.follow(aws, f"EKS cluster {id}", new, reply, name=id)
        if "tags" in changed:
            self.retag(aws, self._find(aws, id, new)["arn"], old, new)

    @staticmethod
    def _changes(old: Props, new: Props, changed: set[str]) -> list[dict[str, Any]]:
        """Return the arguments of the UpdateClusterConfig calls, one for each kind of change."""
        calls: list[dict[str, Any]] = []
        if "accessConfig" in changed:
            calls.append({"accessConfig": given(authenticationMode=new["accessConfig"].get("authenticationMode"))})
        if "enabledClusterLogTypes" in changed:
            calls.append({"logging": _logging(new)})
        if "upgradePolicy" in changed:
            calls.append({"upgradePolicy": new["upgradePolicy"]})
        if "zonalShiftConfig" in changed:
            calls.append({"zonalShiftConfig": new.get("zonalShiftConfig") or {"enabled": False}})
        if "deletionProtection" in changed:
            calls.append({"deletionProtection": new.get("deletionProtection", False)})
        if "vpcConfig" in changed:
            before, after = old["vpcConfig"], new["vpcConfig"]
            if any(before.get(key) != after.get(key) for key in ENDPOINT):
                endpoint = {"endpointPrivateAccess": False, "endpointPublicAccess": True}
                endpoint |= given(**{key: after.get(key) for key in ENDPOINT})
                calls.append({"resourcesVpcConfig": endpoint})
            for key in ("subnetIds", "securityGroupIds"):
                if set(before.get(key) or []) != set(after.get(key) or []):
                    calls.append({"resourcesVpcConfig": {key: after.get(key) or []}})
        return calls

    def replaces(self, old: Props, new: Props, changed: set[str]) -> set[str]:
        """Return nested keys that only CreateCluster takes, and a removed encryption, because EKS cannot remove it."""
        forced = {"encryptionConfig"} if old.get("encryptionConfig") and not new.get("encryptionConfig") else set[str]()
        return forced | {field for field, key in ONLY_AT_CREATION if _differs(old, new, field, key)}

    def delete(self, aws: Aws, id: str, state: Props) -> None:
        with missing(GONE):
            self.client(aws, state).delete_cluster(name=id)
        self._wait(aws, id, state, ("deleted",))

    def _find(self, aws: Aws, id: str, props: Props) -> Live:
        with missing(GONE):
            return self.client(aws, props).describe_cluster(name=id)["cluster"]

    def _wait(self, aws: Aws, id: str, props: Props, wanted: tuple[str, ...]) -> None:
        failed = ("FAILED",) if "deleted" in wanted else ("FAILED", "DELETING", "deleted")
        self.settle(aws, f"EKS cluster {id}", lambda: self._find(aws, id, props), wanted, failed)


def _props(live: Live, inputs: Props) -> Props:
    vpc, network = live["resourcesVpcConfig"], live.get("kubernetesNetworkConfig", {})
    asked = inputs.get("accessConfig") or {}
    encryption = next(iter(live.get("encryptionConfig", [])), {})
    issuer = live.get("identity", {}).get("oidc", {}).get("issuer", "")
    access = {ADMIN: asked.get(ADMIN, True), **live.get("accessConfig", {})}  # EKS does not always return it
    return {
        "name": live["name"],
        "arn": live["arn"],
        "certificateAuthority": {"data": live.get("certificateAuthority", {}).get("data", "")},
        "clusterId": "",  # for clusters on Outposts only
        "createdAt": stamp(live.get("createdAt")),
        "endpoint": live.get("endpoint", ""),
        "identities": [{"oidcs": [{"issuer": issuer}]}] if issuer else [],
        "platformVersion": live.get("platformVersion", ""),
        "status": live["status"],
        "roleArn": live["roleArn"],
        "version": live["version"],
        "vpcConfig": {
            key: vpc.get(key, [] if key.endswith(("Ids", "Cidrs")) else "")
            for key in (*ENDPOINT, "clusterSecurityGroupId", "securityGroupIds", "subnetIds", "vpcId")
        },
        "deletionProtection": live.get("deletionProtection", False),
        "zonalShiftConfig": {"enabled": live.get("zonalShiftConfig", {}).get("enabled", False)},
        **present(
            accessConfig=access,
            enabledClusterLogTypes=_logged(live),
            encryptionConfig=encryption,
            kubernetesNetworkConfig=network,
            upgradePolicy=live.get("upgradePolicy"),
            tags={key: text for key, text in live.get("tags", {}).items() if not key.startswith("aws:")},
        ),
    }


def _logging(inputs: Props) -> dict[str, Any]:
    on = sorted(inputs.get("enabledClusterLogTypes") or [])
    off = [kind for kind in LOG_TYPES if kind not in on]
    setups = [{"types": types, "enabled": enabled} for types, enabled in ((on, True), (off, False)) if types]
    return {"clusterLogging": setups}


def _logged(live: Live) -> list[str]:
    setups = live.get("logging", {}).get("clusterLogging", [])
    return sorted(kind for setup in setups if setup.get("enabled") for kind in setup.get("types", []))


def _differs(old: Props, new: Props, field: str, key: str) -> bool:
    before, after = old.get(field), new.get(field)
    if not isinstance(before, dict) or not isinstance(after, dict):
        return False
    return key in after and bool(before.get(key) != after[key])


HANDLERS: list[Handler] = [Cluster()]
