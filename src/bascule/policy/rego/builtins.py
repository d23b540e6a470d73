"""The functions built into Rego whose value depends on nothing but their arguments."""

from typing import Final

_FAMILIES: Final = frozenset({
    "array", "base64", "base64url", "bits", "crypto", "glob", "graph", "graphql", "hex", "io",
    "json", "net", "numbers", "object", "regex", "semver", "strings", "time", "units", "urlquery",
    "uuid", "yaml",
})  # fmt: skip
_PLAIN: Final = frozenset({
    "abs", "all", "and", "any", "cast_array", "cast_boolean", "cast_null", "cast_object",
    "cast_set", "cast_string", "ceil", "concat", "contains", "count", "div", "endswith", "equal",
    "floor", "format_int", "gt", "gte", "indexof", "indexof_n", "intersection", "is_array",
    "is_boolean", "is_null", "is_number", "is_object", "is_set", "is_string", "lower", "lt", "lte",
    "max", "min", "minus", "mul", "neq", "or", "plus", "print", "product", "re_match", "rem",
    "replace", "round", "set_diff", "sort", "split", "sprintf", "startswith", "substring", "sum",
    "to_number", "trace", "trim", "trim_left", "trim_prefix", "trim_right", "trim_space",
    "trim_suffix", "type_name", "union", "upper", "walk",
})  # fmt: skip
_EXCEPTIONS: Final = frozenset({
    "crypto.x509.parse_and_verify_certificates",
    "crypto.x509.parse_and_verify_certificates_with_options",
    "io.jwt.decode_verify",
    "io.jwt.encode_sign",
    "io.jwt.encode_sign_raw",
    "net.lookup_ip_addr",
    "time.now_ns",
    "uuid.rfc4122",
})  # fmt: skip
"""Members of the families that look at a clock, chance or the network."""


def is_volatile(name: str) -> bool:
    """Whether a call of `name` may have another value next time; so may one of an unknown one."""
    if name in _EXCEPTIONS:
        return True
    family, dot, _ = name.partition(".")
    return family not in (_FAMILIES if dot else _PLAIN)


def is_known(name: str) -> bool:
    """Whether `name` is a function of the language, perhaps besides one of the document."""
    return name in _EXCEPTIONS or not is_volatile(name)
