# Who may do what: the table of roles in data.access.roles.
#
# A row names tools, prompts or resources by patterns, and may be limited to actions, bundles and
# risks. Administrators have a row too: a Rego policy binds them as it binds everybody.
package bascule.authz

import rego.v1

# The caller's roles that cover the use.
granting contains role if {
	some role in input.roles
	some row in data.access.roles[role]
	covers(row)
}

covers(row) if {
	some pattern in object.get(row, plural[input.kind], [])
	glob.match(pattern, null, input.tool.name)
	within(row, "actions", input.action)
	within(row, "bundles", input.tool.bundle)
	within(row, "risks", input.tool.risk)
}

# A row that does not say is about all.
within(row, member, value) if value in object.get(row, member, [value])

plural := {"tool": "tools", "prompt": "prompts", "resource": "resources", "template": "resources"}
