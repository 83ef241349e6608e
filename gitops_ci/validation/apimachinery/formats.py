"""Formats of names and values in the Kubernetes API; each function says why a value is refused, or returns None.

Sources: k8s.io/apimachinery pkg/util/validation/validation.go and pkg/api/validation, RFC 1123, RFC 1035, RFC 6335.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from gitops_ci.lazy import lazy_pattern
from gitops_ci.validation import gates

if TYPE_CHECKING:
    import ipaddress

__all__ = [
    "annotation_key",
    "canonical_cidr",
    "canonical_ip",
    "cidr",
    "config_key",
    "dns_label",
    "dns_label_1035",
    "dns_subdomain",
    "domain_prefixed",
    "env_name",
    "file_mode",
    "http_header",
    "ip",
    "label_value",
    "no_dot_dot",
    "path_segment",
    "percent",
    "port_name",
    "port_number",
    "qualified_name",
    "relative_path",
    "semantic_version",
    "signer_name",
    "subdomain_or_wildcard",
]

# A repository says the same keys, labels and names over and over.
_remembered = lru_cache(maxsize=4096)

_LABEL = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_DNS_LABEL = lazy_pattern(_LABEL)
_DNS_LABEL_1035 = lazy_pattern(r"[a-z](?:[-a-z0-9]*[a-z0-9])?")
_DNS_SUBDOMAIN = lazy_pattern(rf"{_LABEL}(?:\.{_LABEL})*")
_QUALIFIED = lazy_pattern(r"(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_CONFIG_KEY = lazy_pattern(r"[-._a-zA-Z0-9]+")
_PORT_NAME = lazy_pattern(r"[-a-z0-9]+")
_HTTP_HEADER = lazy_pattern(r"[-A-Za-z0-9]+")
_DOMAIN_PATH = lazy_pattern(r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+")
_PERCENT = lazy_pattern(r"[0-9]+%")
_NUMBER = r"(?:0|[1-9][0-9]*)"
_PART = rf"(?:{_NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_VERSION = lazy_pattern(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-{_PART}(?:\.{_PART})*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)


@_remembered
def dns_label(value: str) -> str | None:
    if len(value) > 63:
        return "must be no more than 63 characters"
    if _DNS_LABEL.fullmatch(value):
        return None
    return "must consist of lower case letters, digits and '-', and start and end with a letter or digit"


def dns_label_1035(value: str) -> str | None:
    if len(value) > 63:
        return "must be no more than 63 characters"
    if _DNS_LABEL_1035.fullmatch(value):
        return None
    return "must consist of lower case letters, digits and '-', start with a letter and end with a letter or digit"


@_remembered
def dns_subdomain(value: str) -> str | None:
    if len(value) > 253:
        return "must be no more than 253 characters"
    if _DNS_SUBDOMAIN.fullmatch(value):
        return None
    return "must consist of lower case letters, digits, '-' and '.', and each part start and end with a letter or digit"


def subdomain_or_wildcard(value: str) -> str | None:
    """A host of an Ingress: `*.example.com`, or without the star."""
    if "*" not in value:
        return dns_subdomain(value)
    if value.startswith("*.") and dns_subdomain(value[2:]) is None and len(value) <= 253:
        return None
    return "must be '*.' followed by a DNS name"


def path_segment(value: str) -> str | None:
    if value in {".", ".."}:
        return f"may not be '{value}'"
    found = next((c for c in "/%" if c in value), None)
    return f"may not contain '{found}'" if found else None


@_remembered
def qualified_name(value: str) -> str | None:
    """`name` or `prefix/name`: a label's key."""
    prefix, slash, name = value.rpartition("/")
    if "/" in prefix:
        return "must have at most one '/'"
    if slash and not prefix:
        return "must have a name before the '/'"
    if slash and (why := dns_subdomain(prefix)):
        return f"has a prefix that {why}"
    if not name or len(name) > 63:
        return "must have a name part of 1 to 63 characters"
    if _QUALIFIED.fullmatch(name):
        return None
    return "must consist of letters, digits, '-', '_' and '.', and start and end with a letter or digit"


@_remembered
def annotation_key(value: str) -> str | None:
    return qualified_name(value.lower())


@_remembered
def label_value(value: str) -> str | None:
    if len(value) > 63:
        return "must be no more than 63 characters"
    if not value or _QUALIFIED.fullmatch(value):
        return None
    return "must consist of letters, digits, '-', '_' and '.', and start and end with a letter or digit"


@_remembered
def config_key(value: str) -> str | None:
    """A key of a ConfigMap or Secret: a file name."""
    if len(value) > 253:
        return "must be no more than 253 characters"
    if not _CONFIG_KEY.fullmatch(value):
        return "must consist of letters, digits, '-', '_' and '.'"
    return "must not be '.' or start with '..'" if value == "." or value.startswith("..") else None


@_remembered
def port_name(value: str) -> str | None:
    if len(value) > 15:
        return "must be no more than 15 characters"
    if not _PORT_NAME.fullmatch(value):
        return "must consist of lower case letters, digits and '-'"
    if not any(c.isalpha() for c in value):
        return "must contain at least one letter"
    if "--" in value:
        return "must not contain '--'"
    return "must not begin or end with '-'" if value.startswith("-") or value.endswith("-") else None


def port_number(value: int) -> str | None:
    return None if 1 <= value <= 65535 else "must be between 1 and 65535"


def env_name(value: str, minor: int) -> str | None:
    """The name of an environment variable; relaxed to all printable ASCII but '=' by a feature."""
    if gates.RELAXED_ENV_NAMES.is_on(minor):
        sound = value and all(" " <= c <= "~" and c != "=" for c in value)
        return None if sound else "must consist of printable ASCII characters without '='"
    if not re.fullmatch(r"[-._a-zA-Z][-._a-zA-Z0-9]*", value):
        return "must consist of letters, digits, '_', '-' and '.', and not start with a digit"
    return "must not be '.' or start with '..'" if value == "." or value.startswith("..") else None


def http_header(value: str) -> str | None:
    return None if _HTTP_HEADER.fullmatch(value) else "must consist of letters, digits and '-'"


def domain_prefixed(value: str) -> str | None:
    """`example.com/name`."""
    domain, slash, rest = value.partition("/")
    if not slash or not domain or not rest:
        return "must be a domain-prefixed path such as example.com/name"
    return dns_subdomain(domain) or (None if _DOMAIN_PATH.fullmatch(rest) else "has characters that no path has")


def signer_name(value: str) -> str | None:
    """`example.com/my-signer`, as a CertificateSigningRequest and a ClusterTrustBundle name one."""
    domain, slash, name = value.partition("/")
    if not slash or "/" in name:
        return "must be a domain and a name such as example.com/my-signer"
    if "." not in domain:
        return "must have a domain of at least two parts before the '/'"
    if len(domain) > 253 or any(dns_label(part) for part in domain.split(".")):
        return "must have a DNS name before the '/'"
    return dns_subdomain(name) if len(name) <= 253 else None


def semantic_version(value: str) -> str | None:
    return None if _VERSION.fullmatch(value) else "must be a version such as 1.2.3 (semver.org)"


def percent(value: str) -> str | None:
    return None if _PERCENT.fullmatch(value) else "must be a number followed by '%'"


def ip(value: str, minor: int) -> str | None:
    parsed = parse_ip(value)
    if parsed is None:
        return "must be an IP address such as 10.9.8.7 or 2001:db8::1"
    return _strict_address(value, parsed) if gates.STRICT_ADDRESSES.is_on(minor) else None


def _strict_address(value: str, parsed: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str | None:
    from ipaddress import IPv4Address

    if isinstance(parsed, IPv4Address):
        return None if str(parsed) == value else "must not have leading zeros"
    return "must not be an IPv4 address inside IPv6" if parsed.ipv4_mapped else None


def parse_ip(value: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """As Go's net.ParseIP of old: no zone, and leading zeros in an IPv4 address are fine."""
    from ipaddress import ip_address

    if re.fullmatch(r"[0-9]{1,16}(?:\.[0-9]{1,16}){3}", value):
        value = ".".join(str(int(part)) for part in value.split("."))
    try:
        return None if "%" in value else ip_address(value)
    except ValueError:
        return None


def parse_cidr(value: str) -> ipaddress.IPv4Interface | ipaddress.IPv6Interface | None:
    from ipaddress import ip_interface

    address, slash, bits = value.partition("/")
    parsed = parse_ip(address)
    if parsed is None or not slash or not re.fullmatch(r"[0-9]{1,3}", bits) or int(bits) > parsed.max_prefixlen:
        return None
    return ip_interface(f"{parsed}/{int(bits)}")


def cidr(value: str, minor: int) -> str | None:
    parsed = parse_cidr(value)
    if parsed is None:
        return "must be a CIDR such as 10.9.8.0/24 or 2001:db8::/64"
    if not gates.STRICT_ADDRESSES.is_on(minor):
        return None
    if parsed.ip != parsed.network.network_address:
        return f"must not have bits set beyond the prefix length; write {parsed.network}"
    return _strict_address(value.partition("/")[0], parsed.ip)


def canonical_ip(value: str) -> str | None:
    """An address of a newer field: as `ip`, in the form of RFC 5952."""
    return ip(value, gates.STRICT_ADDRESSES.since) or (
        None if str(parse_ip(value)) == value else f"must be written {parse_ip(value)}"
    )


def canonical_cidr(value: str) -> str | None:
    """A prefix of a newer field: as `cidr`, in the form of RFC 5952."""
    if why := cidr(value, gates.STRICT_ADDRESSES.since):
        return why
    parsed = parse_cidr(value)
    return None if parsed is None or str(parsed) == value else f"must be written {parsed}"


def no_dot_dot(value: str) -> str | None:
    return "must not contain '..'" if ".." in value.split("/") else None


def relative_path(value: str) -> str | None:
    """A path below a volume: relative, and never upwards."""
    return "must be a relative path" if value.startswith("/") else no_dot_dot(value)


def volume_file(value: str) -> str | None:
    """A file inside a volume: as relative_path, and not starting with '..', which the kubelet reserves."""
    return relative_path(value) or ("must not start with '..'" if value.startswith("..") else None)


def file_mode(value: int) -> str | None:
    return None if 0 <= value <= 0o777 else "must be between 0 and 0777 (octal), that is 511"
