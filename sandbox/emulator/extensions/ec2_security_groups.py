"""Security groups: every rule of a call is answered, and default groups open to themselves, as on AWS."""

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


_create = SecurityGroupBackend.create_security_group


def _create_with_self_ingress(self: Any, *args: Any, **kwargs: Any) -> Any:
    group = _create(self, *args, **kwargs)
    if group.is_default:
        source = {"GroupId": group.id, "UserId": self.account_id}
        group.add_ingress_rule(
            SecurityGroupRule(self, "-1", group.id, None, None, None, source_group=source, is_egress=False)
        )
    return group


_responses: Any = SecurityGroups
_responses.authorize_security_group_ingress = _authorize("ingress")
_responses.authorize_security_group_egress = _authorize("egress")
_backend: Any = SecurityGroupBackend
_backend.create_security_group = _create_with_self_ingress
