"""Security contexts of pods and containers.

Source: k8s.io/kubernetes pkg/apis/core/validation/validation.go, validatePodSpecSecurityContext and
ValidateSecurityContext.
"""

from __future__ import annotations

import re

from gitops_ci.schemas.rules import formats
from gitops_ci.schemas.rules.base import Spot

__all__ = ["container_security", "pod_security"]

LARGEST_ID = 2**31 - 1
_SYSCTL = re.compile(r"[a-z0-9]([-_a-z0-9]*[a-z0-9])?([./][a-z0-9]([-_a-z0-9]*[a-z0-9])?)*")
_SYSCTL_SEGMENTS = re.compile(r"[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*")
_POD_LINUX_ONLY = (
    *("appArmorProfile", "seLinuxOptions", "seccompProfile", "fsGroup", "fsGroupChangePolicy", "sysctls", "runAsUser"),
    *("runAsGroup", "supplementalGroups", "supplementalGroupsPolicy", "seLinuxChangePolicy"),
)
_CONTAINER_LINUX_ONLY = (
    *("appArmorProfile", "seLinuxOptions", "seccompProfile", "capabilities", "readOnlyRootFilesystem", "privileged"),
    *("allowPrivilegeEscalation", "procMount", "runAsUser", "runAsGroup"),
)


def pod_security(spec: Spot) -> None:
    context = spec.at("securityContext")
    _ids(context, "runAsUser", "runAsGroup", "fsGroup")
    for index, group in enumerate(context.get("supplementalGroups") or ()):
        if isinstance(group, int) and not 0 <= group <= LARGEST_ID:
            context.at("supplementalGroups").item(index).bad(
                "security-context", f"{group} must be between 0 and {LARGEST_ID}"
            )
    context.one_of("security-context", "fsGroupChangePolicy", ("OnRootMismatch", "Always"), pointer=True)
    context.one_of("security-context", "supplementalGroupsPolicy", ("Merge", "Strict"), pointer=True)
    context.one_of("security-context", "seLinuxChangePolicy", ("MountOption", "Recursive"), pointer=True)
    _sysctls(context, spec)
    _profiles(context)
    _windows(context.at("windowsOptions"))
    _host_process(spec)
    _operating_system(spec)


def container_security(context: Spot, *, host_users: bool) -> None:
    if type(context.value) is not dict:
        return
    _ids(context, "runAsUser", "runAsGroup")
    context.one_of("security-context", "procMount", ("Default", "Unmasked"), pointer=True)
    if host_users and context.text("procMount") == "Unmasked":
        context.at("procMount").bad("security-context", "Unmasked needs the pod's hostUsers to be false")
    _profiles(context)
    if context.get("allowPrivilegeEscalation") is False:
        if context.flag("privileged"):
            context.bad("security-context", "allowPrivilegeEscalation cannot be false while privileged is true")
        if "CAP_SYS_ADMIN" in context.at("capabilities").strings("add"):
            context.bad("security-context", "allowPrivilegeEscalation cannot be false while CAP_SYS_ADMIN is added")
    _windows(context.at("windowsOptions"))


def _ids(context: Spot, *keys: str) -> None:
    for key in keys:
        context.within("security-context", key, 0, LARGEST_ID)


def _profiles(context: Spot) -> None:
    for key, kinds in (
        ("seccompProfile", ("Localhost", "RuntimeDefault", "Unconfined")),
        ("appArmorProfile", ("Localhost", "RuntimeDefault", "Unconfined")),
    ):
        if not context.has(key):
            continue
        profile = context.at(key)
        profile.one_of("security-context", "type", kinds)
        name = profile.get("localhostProfile")
        if profile.text("type") != "Localhost":
            if name is not None:
                profile.at("localhostProfile").bad("security-context", "can only be set when type is Localhost")
        elif not name and (name is None or key == "appArmorProfile"):
            profile.missing("security-context", "localhostProfile")
        elif key == "seccompProfile":
            profile.fits("security-context", "localhostProfile", formats.relative_path)
        elif isinstance(name, str) and (name != name.strip() or len(name) > 4095):
            profile.at("localhostProfile").bad(
                "security-context", "must not be padded with whitespace or longer than 4095"
            )


def _sysctls(context: Spot, spec: Spot) -> None:
    seen: set[str] = set()
    for sysctl in context.each("sysctls"):
        name = sysctl.text("name")
        if name and (len(name) > 253 or not _SYSCTL.fullmatch(name)):
            sysctl.at("name").bad("security-context", f"'{name}' is no name of a sysctl")
        normal = name.replace("/", ".") if "/" in name and "." not in name.partition("/")[0] else name
        if normal in seen:
            sysctl.at("name").bad("duplicate", f"sysctl '{name}' is given twice")
        seen.add(normal)
        if spec.flag("hostNetwork") and normal.startswith("net."):
            sysctl.at("name").bad("security-context", "may not be set when hostNetwork is true")
        if spec.flag("hostIPC") and (
            normal.startswith(("kernel.shm", "kernel.msg", "fs.mqueue.")) or normal == "kernel.sem"
        ):
            sysctl.at("name").bad("security-context", "may not be set when hostIPC is true")


def _windows(options: Spot) -> None:
    if type(options.value) is not dict:
        return
    options.fits("security-context", "gmsaCredentialSpecName", formats.dns_subdomain)
    for key in ("gmsaCredentialSpec", "gmsaCredentialSpecName", "runAsUserName"):
        if options.get(key) == "":
            options.at(key).bad("security-context", "must not be empty")
    if len(options.text("gmsaCredentialSpec")) > 64 * 1024:
        options.at("gmsaCredentialSpec").bad("security-context", "must be under 64 KiB")
    name = options.text("runAsUserName")
    if name and (why := _user_name(name)):
        options.at("runAsUserName").bad("security-context", why)


def _user_name(name: str) -> str | None:
    if any(ord(c) < 32 or ord(c) == 127 for c in name):
        return "must not contain control characters"
    *domain, user = name.split("\\")
    if len(domain) > 1:
        return "must not contain more than one backslash"
    if domain and (
        len(domain[0]) >= 256 or not re.fullmatch(r"[^\\/:*?\"<>|.][^\\/:*?\"<>|]{0,14}|[A-Za-z0-9.-]+", domain[0])
    ):
        return f"has a domain '{domain[0]}' that is neither a NetBIOS nor a DNS name"
    if not user or len(user) > 104 or re.fullmatch(r"[. ]+", user) or re.search(r'["/\\:;|=,+*?<>@\[\]]', user):
        return f"has a user '{user}' that is no Windows user name"
    return None


def _containers(spec: Spot) -> list[Spot]:
    return [one for group in ("initContainers", "containers", "ephemeralContainers") for one in spec.each(group)]


def _host_process(spec: Spot) -> None:
    ours = spec.at("securityContext", "windowsOptions").get("hostProcess")
    containers = _containers(spec)
    host = 0
    for container in containers:
        theirs = container.at("securityContext", "windowsOptions").get("hostProcess")
        if ours is not None and theirs is not None and ours != theirs:
            container.at("securityContext").bad("security-context", "hostProcess differs from the pod's")
        host += bool(ours if theirs is None else theirs)
    if host and host != len(containers):
        spec.bad("security-context", "either all containers are hostProcess containers, or none")
    if host and not spec.flag("hostNetwork"):
        spec.bad("security-context", "hostNetwork must be true when there are hostProcess containers")


def _operating_system(spec: Spot) -> None:
    system = spec.at("os").text("name")
    contexts: list[tuple[Spot, tuple[str, ...]]] = [(spec.at("securityContext"), _POD_LINUX_ONLY)]
    contexts += [(container.at("securityContext"), _CONTAINER_LINUX_ONLY) for container in _containers(spec)]
    for context, linux_only in contexts:
        if system == "linux" and context.has("windowsOptions"):
            context.at("windowsOptions").bad("security-context", "cannot be set for a linux pod")
        for key in linux_only if system == "windows" else ():
            if context.has(key):
                context.at(key).bad("security-context", "cannot be set for a windows pod")
    for key in ("hostPID", "hostIPC", "shareProcessNamespace", "hostUsers") if system == "windows" else ():
        if spec.flag(key) or (spec.has(key) and key in {"shareProcessNamespace", "hostUsers"}):
            spec.at(key).bad("security-context", "cannot be set for a windows pod")
