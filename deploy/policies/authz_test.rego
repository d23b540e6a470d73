# Run by the gateway before a change of the policy is published, and by `opa test deploy/policies`.
package bascule.authz_test

import rego.v1

import data.bascule.authz

access := {
	"roles": {
		"clerk": [
			{"tools": ["get_*"], "risks": ["read"]},
			{"tools": ["create_*"], "bundles": ["desk"]},
			{"prompts": ["welcome"]},
			{"resources": ["docs://*"], "actions": ["discover"]},
		],
		"cashier": [{"tools": ["pay"]}],
	},
	"hours": {
		"zone": "Europe/London",
		"days": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"],
		"from": 8,
		"until": 18,
		"risks": ["write"],
	},
	"networks": {"customer-data": ["10.0.0.0/8", "fd00::/8"]},
	"training": {"payments": "cashier"},
	"amounts": {"pay": {"cashier": 250}},
}

# A clerk reads something: 2026-07-20 is a Monday, 10:00 in London.
read := {
	"action": "invoke",
	"user": "ann",
	"roles": ["clerk"],
	"kind": "tool",
	"tool": {"name": "get_slots", "bundle": "desk", "risk": "read", "tags": []},
	"arguments": {},
	"ip": "10.1.2.3",
	"time_ns": 1784538000000000000,
}

write := object.union(read, {"tool": {"name": "create_booking", "risk": "write"}})

pay := object.union(read, {
	"roles": ["cashier"],
	"tool": {"name": "pay", "tags": ["payments"]},
	"arguments": {"amount": 250},
})

with_tag := object.union(read, {"tool": {"tags": ["customer-data"]}})

at(hour, minute) := read.time_ns + ((((hour - 10) * 60) + minute) * 60000000000)

test_a_role_grants_what_its_row_names if {
	authz.allow with input as read with data.access as access
	authz.reason == "granted to clerk" with input as read with data.access as access
}

test_what_no_row_names_is_denied_and_says_what if {
	asked := object.union(read, {"tool": {"name": "delete_all"}})
	not authz.allow with input as asked with data.access as access
	authz.reason == "no role grants invoke of delete_all" with input as asked with data.access as access
}

test_a_row_is_limited_to_its_risks_and_bundles if {
	risky := object.union(read, {"tool": {"risk": "write"}})
	not authz.allow with input as risky with data.access as access
	elsewhere := object.union(write, {"tool": {"bundle": "fleet"}})
	not authz.allow with input as elsewhere with data.access as access
}

test_nobody_without_a_role_gets_anything if {
	asked := object.union(read, {"roles": []})
	not authz.allow with input as asked with data.access as access
}

test_prompts_and_resources_have_rows_of_their_own if {
	prompt := object.union(read, {"kind": "prompt", "tool": {"name": "welcome"}})
	authz.allow with input as prompt with data.access as access
	seen := object.union(read, {"kind": "template", "action": "discover", "tool": {"name": "docs://{page}"}})
	authz.allow with input as seen with data.access as access
	used := object.union(read, {"kind": "resource", "tool": {"name": "docs://prices"}})
	not authz.allow with input as used with data.access as access
}

test_changes_are_made_in_business_hours if {
	every time_ns in [at(8, 0), at(17, 59)] {
		asked := object.union(write, {"time_ns": time_ns})
		authz.allow with input as asked with data.access as access
	}
	every time_ns in [at(7, 59), at(18, 0), at(-38, 0)] {
		asked := object.union(write, {"time_ns": time_ns})
		not authz.allow with input as asked with data.access as access
		authz.reason == "outside business hours" with input as asked with data.access as access
	}
}

test_reads_and_lists_do_not_wait_for_business_hours if {
	late := object.union(read, {"time_ns": at(23, 0)})
	authz.allow with input as late with data.access as access
	listed := object.union(write, {"action": "discover", "time_ns": at(23, 0)})
	authz.allow with input as listed with data.access as access
}

test_tagged_tools_are_used_from_their_networks_only if {
	every ip in ["10.255.0.1", "fd12::1"] {
		asked := object.union(with_tag, {"ip": ip})
		authz.allow with input as asked with data.access as access
	}
	every ip in ["11.0.0.1", "fe80::1", ""] {
		asked := object.union(with_tag, {"ip": ip})
		not authz.allow with input as asked with data.access as access
	}
}

test_an_untrained_caller_is_denied_at_any_amount if {
	asked := object.union(pay, {"roles": ["clerk"]})
	not authz.allow with input as asked with data.access as access
}

test_amounts_have_a_limit if {
	authz.allow with input as pay with data.access as access
	every amount in [250.01, -1, "1", null, true, [1]] {
		asked := object.union(pay, {"arguments": {"amount": amount}})
		not authz.allow with input as asked with data.access as access
	}
}

test_an_amount_that_is_missing_is_denied if {
	asked := object.union(object.remove(pay, ["arguments"]), {"arguments": {}})
	not authz.allow with input as asked with data.access as access
	authz.reason == "amount must be a number up to 250" with input as asked with data.access as access
}
