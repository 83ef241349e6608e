"""The keys of `.gitops-ci.yaml`, and what a file adds up to. Keys are the long option names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any, NamedTuple

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import UsageError

if TYPE_CHECKING:
    from gitops_ci.flows.environments import Environment
    from gitops_ci.plan import PointerRule

__all__ = ["KEYS", "SECTIONS", "SOAK_KEYS", "WINDOW_KEYS", "Config", "ImageSettings", "VerifyRule"]

# key -> (option of the command line, kind of value): text, texts (one or a list), pairs (names with a text), lists
# (names with one or a list), seconds, bytes, soak, flag, windows, groups, or a choice of words. Keys of `diff`,
# `promotion` and `rendering` have no option.
_MODES = "choice:pull-request,push,dry-run"
_TOP = {
    "image": ("to", "texts"),
    "to": ("to", "texts"),
    "tags": ("tags", "texts"),
    "tag-prefix": ("tag_prefix", "text"),
    "tag-match": ("tag_match", "text"),
    "no-floating": ("no_floating", "flag"),
    "annotations": ("annotation", "texts"),
    "tag-date": ("tag_date", "choice:commit,run"),
    "config-repo": ("config_repo", "text"),
    "base": ("base", "text"),
    "environment": ("environment", "text"),
    "path": ("path", "texts"),
    "exclude": ("exclude", "texts"),
    "group": ("group", "text"),
    "skip-ci": ("skip_ci", "flag"),
    "mode": ("mode", _MODES),
    "forge": ("forge", "text"),
    "api-url": ("api_url", "text"),
    "pin": ("pin", "choice:keep,tag,digest,tag+digest"),
    "allow-downgrade": ("allow_downgrade", "flag"),
    "any-flavour": ("any_flavour", "flag"),
    "allow-empty": ("allow_empty", "flag"),
    "match-name": ("match_name", "flag"),
    "follow-anchors": ("follow_anchors", "flag"),
    "app-version": ("app_version", "flag"),
    "format": ("format", "texts"),
    "author": ("author", "text"),
    "deadline": ("deadline", "text"),
    "insecure": ("insecure", "texts"),
}
_PULL_REQUEST = {
    "labels": ("label", "texts"),
    "title": ("title", "text"),
    "reviewers": ("reviewer", "texts"),
    "assignees": ("assignee", "texts"),
    "milestone": ("milestone", "text"),
    "draft": ("draft", "flag"),
    "merge": ("merge", "choice:when-green"),
    "branch": ("branch", "text"),
    "fork": ("fork", "text"),
    "body": ("body", "text"),
    "commit-message": ("commit_message", "text"),
    "signoff": ("signoff", "flag"),
    "merge-method": ("merge_method", "choice:auto,merge,squash,rebase,fast-forward"),
}
_VALIDATE = {
    "kubernetes-version": ("kubernetes_version", "text"),
    "schema-locations": ("schema_location", "texts"),
    "crd-paths": ("crd_path", "texts"),
    "missing-schema": ("missing_schema", "choice:fail,warn,ignore"),
    "rules": ("rules", "texts"),
    "skip-rules": ("skip_rules", "texts"),
    "ignore": ("ignore", "texts"),
    "check-images": ("check_images", "flag"),
    "render": ("render", "choice:auto,none"),
    "exclude": ("validate_exclude", "texts"),
    "skip-kinds": ("skip_kind", "texts"),
    "substitute": ("substitute", "pairs"),
    "values": ("values", "lists"),
    "fail-on": ("fail_on", "texts"),
}
_ENVIRONMENT = {
    "paths": ("paths", "texts"),
    "base": ("base", "text"),
    "mode": ("mode", _MODES),
    "promote-from": ("promote_from", "names"),
    "reviewers": ("reviewers", "texts"),
    "labels": ("labels", "texts"),
    "title": ("title", "text"),
    "merge": ("merge", "choice:when-green"),
    "promote": ("promote", "choice:auto,manual"),
    "soak": ("soak", "soak"),
    "require-status": ("require_status", "names"),
    "windows": ("windows", "windows"),
    "config-repo": ("config_repo", "text"),
}
# Images of one list go to an environment together or not at all.
_PROMOTION = {"together": ("together", "groups")}
SOAK_KEYS = {"for": ("seconds", "text"), "protect": ("protect", "flag")}
WINDOW_KEYS = {
    "cron": ("cron", "text"),
    "for": ("lasts", "text"),
    "from": ("start", "text"),
    "to": ("end", "text"),
    "zone": ("zone", "text"),
    "reason": ("reason", "text"),
}
_RENDERING = {
    "timeout": ("rendering_timeout", "seconds"),
    "memory": ("rendering_memory", "bytes"),
    "output": ("rendering_output", "bytes"),
}
_DIFF = {
    "comment": ("diff_comment", "choice:comment,body,none"),
    "fold": ("diff_fold", "texts"),
    "mask": ("diff_mask", "texts"),
    "large": ("diff_large", "text"),
}
_POINTER = {"file": ("file", "text"), "at": ("at", "text"), "image": ("image", "text")}
# One of the images of a repository that builds several.
_IMAGE = {
    "image": ("image", "text"),
    "to": ("to", "texts"),
    "path": ("path", "texts"),
    "tags": ("tags", "texts"),
    "environment": ("environment", "text"),
}
# Who has to have signed the images of a glob.
_VERIFY = {
    "key": ("key", "texts"),
    "identity": ("identity", "text"),
    "identity-regex": ("identity_regex", "text"),
    "issuer": ("issuer", "text"),
    "issuer-regex": ("issuer_regex", "text"),
    "source": ("source", "text"),
    "source-regex": ("source_regex", "text"),
    "attestation": ("attestation", "texts"),
    "trusted-root": ("trusted_root", "text"),
}

# Every key that a file may have, by section: key -> (option by parameter name, kind of value). "" is the top level.
KEYS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "": _TOP,
    "pull-request": _PULL_REQUEST,
    "validate": _VALIDATE,
    "rendering": _RENDERING,
    "diff": _DIFF,
    "environments.*": _ENVIRONMENT,
    "images[]": _IMAGE,
    "pointers[]": _POINTER,
    "promotion": _PROMOTION,
    "verify.*": _VERIFY,
}
# The sections whose keys give options values.
SECTIONS = ("pull-request", "validate", "rendering", "diff")


@dataclass(frozen=True, slots=True)
class ImageSettings:
    """One entry of `images:`: the name that manifests have, and what its release and its bumps use."""

    image: str
    to: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    environment: str = ""


class VerifyRule(NamedTuple):
    """One entry of `verify:`: who may have signed, by keys or by a name and who knows them by it."""

    key: tuple[str, ...] = ()
    identity: str = ""
    identity_regex: str = ""
    issuer: str = ""
    issuer_regex: str = ""
    source: str = ""
    source_regex: str = ""
    attestation: tuple[str, ...] = ()
    trusted_root: str = ""

    @property
    def is_keyless(self) -> bool:
        return bool(self.identity or self.identity_regex or self.issuer or self.issuer_regex)

    @property
    def who(self) -> str:
        """The signers in one line. A key that is written as text has no name."""
        keys = [f"key {'(text)' if '-----BEGIN' in key else key}" for key in self.key]
        if self.is_keyless:
            identity = self.identity or f"/{self.identity_regex}/"
            source = self.source or (self.source_regex and f"/{self.source_regex}/")
            issuer = f"issuer {self.issuer or f'/{self.issuer_regex}/'}"
            keys.append(f"identity {identity}, {issuer}{f', source {source}' if source else ''}")
        stated = f"; attestations: {', '.join(self.attestation)}" if self.attestation else ""
        return " or ".join(keys) + stated

    def check(self) -> None:
        """Raises UsageError for a rule that nobody or anybody could satisfy."""
        if not self.is_keyless:
            if not self.key:
                raise UsageError("no signer is named", hint="write key: cosign.pub, or identity: and issuer:")
            for name, value in (
                ("a trusted root", self.trusted_root),
                ("a source", self.source or self.source_regex),
            ):
                if value:
                    raise UsageError(f"{name} needs an identity", hint="write identity: and issuer:")
            return
        if self.source and self.source_regex:
            raise UsageError("it has source and source-regex", hint="keep one of them")
        for name, texts in (
            ("identity", (self.identity, self.identity_regex)),
            ("issuer", (self.issuer, self.issuer_regex)),
        ):
            if sum(map(bool, texts)) != 1:
                hint = "an identity counts only with who issued it" if not any(texts) else "keep one of them"
                raise UsageError(f"it needs {name} or {name}-regex, one of the two", hint=hint)


@dataclass(frozen=True, slots=True)
class Config:
    """A configuration file: values for options by parameter name, environments, rules for places and signatures.

    `verify` has for globs of images who has to have signed them, as the file at `source` writes it.
    `together` are names of images that are promoted together.
    """

    options: Mapping[str, Any] = field(default_factory=dict)
    environments: Mapping[str, Environment] = field(default_factory=dict)
    pointers: tuple[PointerRule, ...] = ()
    verify: Mapping[str, VerifyRule] = field(default_factory=dict)
    source: str = ""
    images: tuple[ImageSettings, ...] = ()
    together: tuple[tuple[str, ...], ...] = ()
