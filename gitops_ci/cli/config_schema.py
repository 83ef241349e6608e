"""The JSON Schema of `.gitops-ci.yaml`, made from the reader's own table of keys and the options' help texts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import click

from gitops_ci.config_keys import KEYS, SOAK_KEYS, WINDOW_KEYS
from gitops_ci.lazy import import_member
from gitops_ci.project import SCHEMA_URL

__all__ = ["FILE", "options_of", "schema", "schema_text"]

FILE = "config.schema.json"  # in the package
_COMMANDS = ("release", "bump", "validate")
_VERIFY = {
    "key": "cosign.pub, or the PEM text of the key; one of several.",
    "identity": "Required signer, for signatures without a key: an address, or the URL of a workflow.",
    "identity-regex": "RE2 pattern that the whole identity must match.",
    "issuer": "Address of the identity provider that vouches for the identity.",
    "issuer-regex": "RE2 pattern that the whole issuer must match.",
    "source": "Repository that the image is built from, for a workflow that others may call too.",
    "source-regex": "RE2 pattern that the whole source must match.",
    "attestation": "Required types of attestations, in place of a signature: their address, or cosign's name.",
    "trusted-root": "File beside this one: trusted_root.json of another sigstore instance than the public one. "
    "packaged: the public one as the installed library has it.",
}
_SECTIONS = {
    "pull-request": "What the pull requests look like and who sees them.",
    "validate": "How manifests are checked.",
    "rendering": "Limits of each run of kustomize or helm.",
    "verify": "Required signatures of images, by globs of their names.",
    "diff": "What diff folds and hides, and where a pull request shows it.",
    "environments": "Environments by name. Each is a set of paths of the config repository, a branch, or both.",
    "images": "The images of a repository that builds several: each with settings of its own.",
    "promotion": "How images are promoted.",
    "pointers": "Places of versions where only the file's name, or a key, shows which image it is.",
}
_IMAGE = {
    "image": "The image's name in manifests, without a version.",
    "to": "Where it is pushed. [the image's name]",
    "path": "Only these files of the config repository: globs.",
    "tags": "Tag strategies, as for the key tags of the whole file.",
    "environment": "Environment that its releases and bumps change.",
}
_POINTER = {
    "file": "Path of the files in the config repository. {name} matches a part of a folder's or file's name.",
    "at": 'Where the version is in the file: $.image_tag, or /image_tag = "(.+)"/ with one group.',
    "image": "The image whose version it is, without a version: ghcr.io/acme/{name}.",
}
_RENDERING = {
    "timeout": "Time, for example 90s or 2m. [60s]",
    "memory": "Resident memory with all child processes, for example 4GiB. [2GiB]",
    "output": "Output, for example 128MiB. [64MiB]",
}
_DIFF = {
    "comment": "Where bump, release and rollback show what their pull request does to the rendered objects. [none]",
    "fold": "Changes that are counted and not shown: 'kind=GLOB name=GLOB path=GLOB'.",
    "mask": "Values that are hidden like those of Secrets: 'ConfigMap.data.password', where * is anything.",
    "large": "Number of changed objects above which the change is called big. [100]",
}
_PROMOTION = {"together": "Lists of images that are promoted together, or not at all."}
_ENVIRONMENT = {
    "paths": "Files of the environment: globs from the config repository's root.",
    "base": "Branch of the environment.",
    "mode": "How changes of the environment are published.",
    "promote-from": "The environments that images are promoted from. Each of them must have the version.",
    "reviewers": "Reviewers of its pull requests.",
    "labels": "Labels of its pull requests.",
    "title": "Title of its pull requests.",
    "merge": "Let the host merge its pull requests once their checks pass.",
    "promote": "auto: `promote --to auto` promotes to it. manual: only `promote --to` with its name does. [manual]",
    "soak": "How long a version stays in the environment before, for example 4h or 2d.",
    "require-status": "Globs of commit statuses and check runs that must succeed in the environment before.",
    "windows": "When changes are pushed and merged. deny overrides allow. Without allow, every other time is open.",
    "config-repo": "The environment's own repository. Only in the file beside the pipeline.",
}
_WINDOW_TEXTS = {
    "cron": "When the window starts, in five fields: '0 9 * * 1-5'.",
    "for": "How long it lasts: 8h.",
    "from": "The first day, or a time.",
    "to": "The last day, or a time.",
    "zone": "The time zone: Europe/Berlin. [UTC]",
    "reason": "The reason. Messages and pull requests contain it.",
}


def schema_text() -> str:
    """The file's text as it is published."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def schema() -> dict[str, Any]:
    """The schema as a value; JSON Schema draft-07, which every editor's YAML support reads."""
    told = _help_texts()
    properties: dict[str, Any] = {}
    for section, keys in KEYS.items():
        if section == "":
            properties |= _properties(keys, told)
        elif section == "environments.*":
            one = {"type": ["object", "null"], "additionalProperties": False}
            one |= {"properties": _properties(keys, _ENVIRONMENT)}
            properties["environments"] = _section("environments") | {"additionalProperties": one}
        elif section == "images[]":
            one = {"type": "object", "additionalProperties": False, "required": ["image"]}
            one |= {"properties": _properties(keys, _IMAGE)}
            properties["images"] = {"type": "array", "description": _SECTIONS["images"], "items": one}
        elif section == "pointers[]":
            one = {"type": "object", "additionalProperties": False, "required": [*keys]}
            one |= {"properties": _properties(keys, _POINTER)}
            properties["pointers"] = {"type": "array", "description": _SECTIONS["pointers"], "items": one}
        elif section == "verify.*":
            names = [[key] for key in keys if key == "key" or key.startswith("identity")]
            one = {"type": "object", "additionalProperties": False, "anyOf": [{"required": name} for name in names]}
            one |= {"properties": _properties(keys, _VERIFY)}
            properties["verify"] = _section("verify") | {"additionalProperties": one}
        else:
            texts = {"rendering": _RENDERING, "diff": _DIFF, "promotion": _PROMOTION}.get(section, told)
            properties[section] = _section(section) | {"properties": _properties(keys, texts)}
            properties[section]["additionalProperties"] = False
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": SCHEMA_URL,
        "title": ".gitops-ci.yaml",
        "description": "Settings of gitops-ci. A flag or an environment variable overrides them.",
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": properties,
    }


def options_of(*names: str) -> Iterable[click.Option]:
    """The options of commands, by the commands' names."""
    for name in names:
        command = import_member("cli", f"{name}:command")
        yield from (option for option in command.params if isinstance(option, click.Option))


def _section(name: str) -> dict[str, Any]:
    return {"type": ["object", "null"], "description": _SECTIONS[name]}


def _help_texts() -> dict[str, str]:
    return {str(option.name): option.help or "" for option in options_of(*_COMMANDS)}


def _properties(keys: Mapping[str, tuple[str, str]], told: Mapping[str, str]) -> dict[str, Any]:
    found = {}
    for key, (option, kind) in keys.items():
        text = told.get(key) or told.get(option, "")
        found[key] = _type(kind) | ({"description": text.replace(" Repeatable.", "")} if text else {})
    return found


def _type(kind: str) -> dict[str, Any]:
    if kind == "flag":
        return {"type": "boolean"}
    if kind.startswith("choice:"):
        return {"enum": kind.removeprefix("choice:").split(",")}
    if kind in _NESTED:
        return _NESTED[kind]()
    # A number is read as it is written: 1.10 stays 1.10.
    one = {"type": ["string", "number"]}
    if kind in {"pairs", "lists"}:
        return {"type": ["object", "null"], "additionalProperties": _type("texts" if kind == "lists" else "text")}
    return {"anyOf": [one, {"type": "array", "items": one}]} if kind in {"texts", "names"} else one


def _soak() -> dict[str, Any]:
    told = {"for": "The time: 4h.", "protect": "Pushes to the environment before wait while a version soaks there."}
    mapping = {"type": "object", "additionalProperties": False, "required": ["for"]}
    return {"anyOf": [_type("text"), mapping | {"properties": _properties(SOAK_KEYS, told)}]}


def _windows() -> dict[str, Any]:
    one = {"type": "object", "additionalProperties": False, "properties": _properties(WINDOW_KEYS, _WINDOW_TEXTS)}
    several = {"anyOf": [one, {"type": "array", "items": one}]}
    return {"type": ["object", "null"], "additionalProperties": False} | {
        "properties": {
            "allow": several | {"description": "Times that allow changes."},
            "deny": several | {"description": "Times that forbid them: any of these wins."},
        }
    }


def _groups() -> dict[str, Any]:
    return {"type": "array", "items": {"type": "array", "minItems": 2, "items": {"type": "string"}}}


# Kinds of values with a form of their own.
_NESTED: Mapping[str, Callable[[], dict[str, Any]]] = {"soak": _soak, "windows": _windows, "groups": _groups}
