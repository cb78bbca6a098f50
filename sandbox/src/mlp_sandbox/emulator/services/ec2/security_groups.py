"""Security groups: a call returns all of its rules, and default groups admit their own members, as on AWS."""

from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.models.security_groups import SecurityGroupBackend, SecurityGroupRule
from moto.ec2.responses.security_groups import SecurityGroups


def _authorize(direction: str) -> Any:
    def authorize(self: Any) -> ActionResult:
        self.error_on_dryrun()
        add = getattr(self.ec2_backend, f"authorize_security_group_{direction}")
        added: list[Any] = []
        groups: list[Any] = []
        try:
            for arguments in self._process_rules_from_querystring():
                rules, group = add(**arguments)
                added += rules
                groups += [group] * len(rules)
        except Exception:
            # AWS adds all rules of a call or none.
            for rule, group in zip(added, groups, strict=True):
                getattr(group, f"{direction}_rules").remove(rule)
            raise
        return ActionResult({"Return": True, "SecurityGroupRules": added})

    return authorize


_equal: Any = SecurityGroupRule.__eq__


def _equal_but_for_description(self: Any, other: Any) -> bool:
    """Compare two rules without their descriptions.

    AWS revokes a rule without its description, and rejects the same rule with another description.
    """
    if not isinstance(other, SecurityGroupRule):
        return False
    groups = [{k: v for k, v in rule.source_group.items() if k != "Description"} for rule in (self, other)]
    if groups[0] != groups[1]:
        return False
    if not self.source_group:
        return bool(_equal(self, other))
    return (self.ip_protocol, self.from_port, self.to_port) == (other.ip_protocol, other.from_port, other.to_port)


def _description(self: Any) -> str | None:
    """Return the description of a rule. moto shows it for IP ranges only; it stores changes there for every kind."""
    return self.ip_range.get("Description", self.source_group.get("Description"))


_create = SecurityGroupBackend.create_security_group


def _create_with_self_ingress(self: Any, *args: Any, **kwargs: Any) -> Any:
    group = _create(self, *args, **kwargs)
    if group.is_default:
        source = {"GroupId": group.id, "OwnerId": self.account_id, "UserId": self.account_id}
        rule: Any = SecurityGroupRule(self, "-1", group.id, None, None, None, source_group=source, is_egress=False)
        group.add_ingress_rule(rule)
    return group


_responses: Any = SecurityGroups
_responses.authorize_security_group_ingress = _authorize("ingress")
_responses.authorize_security_group_egress = _authorize("egress")
_rule: Any = SecurityGroupRule
_rule.__eq__ = _equal_but_for_description
_rule.description = property(_description)
_backend: Any = SecurityGroupBackend
_backend.create_security_group = _create_with_self_ingress
