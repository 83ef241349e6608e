"""Sources that volumes of pods and PersistentVolumes have in common.

Source: k8s.io/kubernetes pkg/apis/core/validation/validation.go, the validators of each source.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from gitops_ci.lazy import lazy_pattern
from gitops_ci.validation.apimachinery import formats
from gitops_ci.validation.apimachinery.field import Field

__all__ = ["COMMON_SOURCES", "csi_driver_name", "flex", "iscsi", "source_errors", "storage_os"]

_HOST_PATHS = ("", "DirectoryOrCreate", "Directory", "FileOrCreate", "File", "Socket", "CharDevice", "BlockDevice")


def source_errors(volume: Field, sources: Mapping[str, Callable[[Field], None]], other: set[str]) -> list[str]:
    """Check that exactly one source is given, and that one; returns the sources' names."""
    given = [key for key in (volume.value or {}) if key not in other and volume.has(key)]
    # A volume without any source is an emptyDir, by default.
    for key in given[1:]:
        volume.at(key).bad("volume", f"may not have more than one source; has {', '.join(given)}")
    if len(given) == 1 and given[0] in sources:
        sources[given[0]](volume.at(given[0]))
    return given


def host_path(source: Field) -> None:
    source.fits("volume", "path", formats.no_dot_dot)
    source.one_of("volume", "type", _HOST_PATHS)


def nfs(source: Field) -> None:
    if not source.text("path").startswith("/"):
        source.at("path").bad("volume", f"'{source.text('path')}' must be an absolute path")


_IQN = lazy_pattern(r"iqn\.\d{4}-\d{2}\.[A-Za-z0-9\-.]+:[^,;*&$|\s]+\Z", re.ASCII)
_EUI = lazy_pattern(r"\Aeui.[A-Za-z0-9]{16}\Z")
_NAA = lazy_pattern(r"\Anaa.[A-Za-z0-9]{32}\Z")


def iscsi(source: Field) -> None:
    for key in ("iqn", "initiatorName"):
        name = source.text(key)
        wanted = {"iqn": _IQN, "eui": _EUI, "naa": _NAA}.get(name[:3])
        if source.has(key) and (wanted is None or not wanted.search(name)):
            source.at(key).bad("volume", f"'{name}' must be a name that starts with iqn, eui or naa")
    source.within("volume", "lun", 0, 255)
    if (source.flag("chapAuthDiscovery") or source.flag("chapAuthSession")) and not source.has("secretRef"):
        source.missing("volume", "secretRef")


def fibre_channel(source: Field) -> None:
    names, ids = source.count("targetWWNs"), source.count("wwids")
    if bool(names) == bool(ids):
        source.bad("volume", "needs either targetWWNs or wwids")
    if names and not source.has("lun"):
        source.missing("volume", "lun")
    if names:
        source.within("volume", "lun", 0, 255)


def partition(source: Field) -> None:
    source.within("volume", "partition", 0, 255)


def flex(source: Field) -> None:
    for name, option in source.pairs("options"):
        if f".{name.partition('/')[0].lower()}".endswith((".kubernetes.io", ".k8s.io")):
            option.bad_key("volume", "the domains kubernetes.io and k8s.io are reserved")


def azure_disk(source: Field) -> None:
    source.one_of("volume", "cachingMode", ("None", "ReadOnly", "ReadWrite"), pointer=True)
    source.one_of("volume", "kind", ("Dedicated", "Managed", "Shared"), pointer=True)
    kind, uri = source.text("kind") or "Shared", source.text("diskURI")
    prefix = "/subscriptions/" if kind == "Managed" else "https://"
    if not uri.startswith(prefix):
        source.at("diskURI").bad("volume", f"must start with {prefix} for kind {kind}")


def flocker(source: Field) -> None:
    if bool(source.text("datasetName")) == bool(source.text("datasetUUID")):
        source.bad("volume", "needs either datasetName or datasetUUID")
    if "/" in source.text("datasetName"):
        source.at("datasetName").bad("volume", "must not contain '/'")


def csi_driver_name(source: Field, key: str = "driver") -> None:
    name = source.text(key)
    if name and (
        why := "must be no more than 63 characters" if len(name) > 63 else formats.dns_subdomain(name.lower())
    ):
        source.at(key).bad("volume", f"'{name}' {why}")


def quobyte(source: Field) -> None:
    if not all(map(_host_and_port, source.text("registry").split(","))):
        source.at("registry").bad("volume", "must be a host:port pair, or several separated by commas")
    if len(source.text("tenant").encode()) > 64:
        source.at("tenant").bad("volume", "must be no more than 64 characters")


def _host_and_port(text: str) -> bool:
    """Whether Go's net.SplitHostPort takes it: `host:port` or `[host]:port`, either part may be empty."""
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        return False
    return bool(colon) and not any(bracket in host + port for bracket in "[]")


def scale_io(source: Field) -> None:
    if not source.text("volumeName"):
        source.missing("volume", "volumeName")


def storage_os(source: Field) -> None:
    if not source.text("volumeName"):
        source.missing("volume", "volumeName")
    source.fits("name", "volumeName", formats.dns_label)
    source.fits("name", "volumeNamespace", formats.dns_label)


# Sources that PersistentVolumes have as well.
COMMON_SOURCES: Mapping[str, Callable[[Field], None]] = {
    "hostPath": host_path,
    "gcePersistentDisk": partition,
    "awsElasticBlockStore": partition,
    "nfs": nfs,
    "iscsi": iscsi,
    "fc": fibre_channel,
    "flexVolume": flex,
    "azureDisk": azure_disk,
    "flocker": flocker,
    "quobyte": quobyte,
    "scaleIO": scale_io,
    "storageos": storage_os,
}
