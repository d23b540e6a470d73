# The decision: `allow`, and `reason` for the audit record. The caller never sees the reason.
#
# A use is allowed if a role grants it (rbac.rego) and nothing speaks against it
# (tool_access.rego). Roles, hours, networks and amounts are in data.json; change them there.
package bascule.authz

import rego.v1

default allow := false

allow if {
	count(granting) > 0
	count(objections) == 0
}

reason := concat("; ", objections) if {
	count(objections) > 0
} else := sprintf("granted to %s", [concat(", ", granting)]) if {
	count(granting) > 0
} else := sprintf("no role grants %s of %s", [input.action, input.tool.name])
