# What speaks against a use, whoever asks: each objection is a text for the record.
#
# Objections are about uses alone. Tools stay in lists outside business hours, so that an agent
# can say what it could do tomorrow; and the arguments of a call are not known in lists.
package bascule.authz

import rego.v1

# Changes are made in business hours.
objections contains "outside business hours" if {
	input.action == "invoke"
	input.tool.risk in data.access.hours.risks
	not open
}

open if {
	hours := data.access.hours
	moment := [input.time_ns, hours.zone]
	time.weekday(moment) in hours.days
	[hour, _, _] := time.clock(moment)
	hour >= hours.from
	hour < hours.until
}

# What is tagged is used from its networks only. An address that is not known is in none.
objections contains sprintf("%s is not used from outside its networks", [tag]) if {
	input.action == "invoke"
	some tag in input.tool.tags
	networks := data.access.networks[tag]
	not inside(networks)
}

inside(networks) if {
	input.ip != ""
	some network in networks
	net.cidr_contains(network, input.ip)
}

# What is tagged is used by those who were trained for it.
objections contains sprintf("%s needs the role %s", [tag, needed]) if {
	input.action == "invoke"
	some tag in input.tool.tags
	needed := data.access.training[tag]
	not needed in input.roles
}

# Amounts have a limit for each role; the highest of the caller's counts. The argument is named here
# rather than in the data, so that answers are remembered, and replayed, by this one alone.
objections contains sprintf("amount must be a number up to %v", [highest(most)]) if {
	input.action == "invoke"
	most := data.access.amounts[input.tool.name]
	not affordable(most)
}

affordable(most) if {
	is_number(input.arguments.amount)
	input.arguments.amount >= 0
	input.arguments.amount <= highest(most)
}

highest(most) := max({0} | {amount | some role in input.roles; amount := most[role]})
