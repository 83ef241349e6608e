"""Security contexts of pods and containers.

Source: k8s.io/kubernetes pkg/apis/core/validation/validation.go, validatePodSpecSecurityContext and
ValidateSecurityContext.
"""

from __future__ import annotations

from gitops_ci.lazy import lazy_pattern
from gitops_ci.validation import gates
from gitops_ci.validation.apimachinery import formats
from gitops_ci.validation.apimachinery.field import Field

__all__ = ["container_security", "pod_security"]

LARGEST_ID = 2**31 - 1
_SYSCTL = lazy_pattern(r"[a-z0-9]([-_a-z0-9]*[a-z0-9])?([./][a-z0-9]([-_a-z0-9]*[a-z0-9])?)*")
# Parameters of the kernel's IPC namespace (component-helpers node/util/sysctl/namespace.go).
_IPC = frozenset(
    {
        *("kernel.sem", "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced", "kernel.shm"),
        *("kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.msg"),
    }
)
_NETBIOS = lazy_pattern(r"[^\\/:*?\"<>|.][^\\/:*?\"<>|]{0,14}")
_DNS = lazy_pattern(r"{0}(?:\.{0})*".format(r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"))
_POD_LINUX_ONLY = (
    *("appArmorProfile", "seLinuxOptions", "seccompProfile", "fsGroup", "fsGroupChangePolicy", "sysctls", "runAsUser"),
    *("runAsGroup", "supplementalGroups", "supplementalGroupsPolicy", "seLinuxChangePolicy"),
)
_CONTAINER_LINUX_ONLY = (
    *("appArmorProfile", "seLinuxOptions", "seccompProfile", "capabilities", "readOnlyRootFilesystem", "privileged"),
    *("allowPrivilegeEscalation", "procMount", "runAsUser", "runAsGroup"),
)


def pod_security(spec: Field) -> None:
    context = spec.at("securityContext")
    _ids(context, "runAsUser", "runAsGroup", "fsGroup")
    for index, group in enumerate(context.get("supplementalGroups") or ()):
        if isinstance(group, int) and not 0 <= group <= LARGEST_ID:
            context.at("supplementalGroups").item(index).bad(
                "security-context", f"{group} must be between 0 and {LARGEST_ID}"
            )
    context.one_of("security-context", "fsGroupChangePolicy", ("OnRootMismatch", "Always"), pointer=True)
    context.one_of("security-context", "supplementalGroupsPolicy", ("Merge", "Strict"), pointer=True)
    policies = ("MountOption", "Recursive") if spec.on(gates.SELINUX_MOUNT) else ("Recursive",)
    context.one_of("security-context", "seLinuxChangePolicy", policies, pointer=True)
    _sysctls(context, spec)
    _profiles(context)
    _windows(context.at("windowsOptions"))
    _host_process(spec)
    _operating_system(spec)


def container_security(context: Field, *, host_users: bool) -> None:
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


def _ids(context: Field, *keys: str) -> None:
    for key in keys:
        context.within("security-context", key, 0, LARGEST_ID)


def _profiles(context: Field) -> None:
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


def _sysctls(context: Field, spec: Field) -> None:
    seen: set[str] = set()
    for sysctl in context.each("sysctls"):
        name = sysctl.text("name")
        if name and (len(name) > 253 or not _SYSCTL.fullmatch(name)):
            sysctl.at("name").bad("security-context", f"'{name}' is not a name of a sysctl")
        elif name in seen:
            sysctl.at("name").bad("duplicate", f"sysctl '{name}' is given twice")
        seen.add(name)
        if (key := _namespace(name)) and spec.flag(key) and spec.on(gates.HOST_SYSCTLS):
            sysctl.at("name").bad("security-context", f"may not be set when {key} is true")


def _namespace(sysctl: str) -> str | None:
    """The field of a pod that shares the namespace of a sysctl with the host."""
    first = min((sysctl.find(c) for c in "./" if c in sysctl), default=-1)
    # net/ipv4/conf/eno2.100 and net.ipv4.conf.eno2/100 are one.
    name = sysctl.translate(_SWAPPED) if first >= 0 and sysctl[first] == "/" else sysctl
    if name.startswith("net."):
        return "hostNetwork"
    return "hostIPC" if name in _IPC or name.startswith("fs.mqueue.") else None


_SWAPPED = str.maketrans("./", "/.")


def _windows(options: Field) -> None:
    if type(options.value) is not dict:
        return
    options.fits("security-context", "gmsaCredentialSpecName", formats.dns_subdomain, pointer=True)
    for key in ("gmsaCredentialSpec", "runAsUserName"):
        if options.get(key) == "":
            options.at(key).bad("security-context", "must not be empty")
    if len(options.text("gmsaCredentialSpec").encode()) > 64 * 1024:
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
    if domain and (len(domain[0]) >= 256 or not (_NETBIOS.fullmatch(domain[0]) or _DNS.fullmatch(domain[0]))):
        return f"has a domain '{domain[0]}' that is neither a NetBIOS nor a DNS name"
    if not 1 <= len(user.encode()) <= 104 or not user.strip(". ") or any(c in '"/\\:;|=,+*?<>@[]' for c in user):
        return f"has a user '{user}' that is not a Windows user name"
    return None


def _containers(spec: Field) -> list[Field]:
    return [one for group in ("initContainers", "containers", "ephemeralContainers") for one in spec.each(group)]


def _host_process(spec: Field) -> None:
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


def _operating_system(spec: Field) -> None:
    system = spec.at("os").text("name")
    if not system:
        return
    contexts: list[tuple[Field, tuple[str, ...]]] = [(spec.at("securityContext"), _POD_LINUX_ONLY)]
    contexts += [(container.at("securityContext"), _CONTAINER_LINUX_ONLY) for container in _containers(spec)]
    for context, linux_only in contexts:
        if system == "linux" and context.has("windowsOptions"):
            context.at("windowsOptions").bad("security-context", "cannot be set for a linux pod")
        for key in linux_only if system == "windows" else ():
            if context.has(key) and not (key == "sysctls" and not context.count(key)):
                context.at(key).bad("security-context", "cannot be set for a windows pod")
    for key in ("hostPID", "hostIPC", "shareProcessNamespace", "hostUsers") if system == "windows" else ():
        if spec.flag(key) or (spec.has(key) and key in {"shareProcessNamespace", "hostUsers"}):
            spec.at(key).bad("security-context", "cannot be set for a windows pod")
