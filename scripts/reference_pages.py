"""The reference of the documentation site, made from the program: options, keys, variables, codes, JSON, names."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import click  # noqa: E402
import yaml  # noqa: E402

from gitops_ci import errors  # noqa: E402
from gitops_ci.cli import COMMANDS  # noqa: E402
from gitops_ci.cli.config_schema import schema  # noqa: E402
from gitops_ci.cli.help_texts import COMMAND_SECTIONS, EXAMPLES  # noqa: E402
from gitops_ci.cli.misspelled import NO_OPTION  # noqa: E402
from gitops_ci.forges import FORGES  # noqa: E402
from gitops_ci.formats import FORMATS  # noqa: E402
from gitops_ci.reporting import REPORTERS  # noqa: E402
from gitops_ci.rules.pages import FAMILY_TITLES, rule_pages  # noqa: E402

__all__ = ["commands", "reference_pages"]

_SECRETS = {
    "GITOPS_CI_TOKEN": "Token for the config repository and its code host.",
    "GITOPS_CI_REGISTRY": "Registry that the account is for. [that of the first --to]",
    "GITOPS_CI_REGISTRY_USER": "User of the registry.",
    "GITOPS_CI_REGISTRY_PASSWORD": "Password or token of the registry.",
    "GITOPS_CI_REGISTRY_USR": "As GITOPS_CI_REGISTRY_USER: what Jenkins calls it.",
    "GITOPS_CI_REGISTRY_PSW": "As GITOPS_CI_REGISTRY_PASSWORD: what Jenkins calls it.",
    "GITOPS_CI_DOTENV": "File for the results of the job on GitLab. [gitops-ci.env]",
    "NO_COLOR": "No colors, if it is set and not empty.",
    "FORCE_COLOR": "Colors in logs, too, if it is set and not empty.",
}


def reference_pages() -> dict[str, str]:
    """Every page by its name below reference/."""
    makers: Mapping[str, tuple[str, Callable[[], Iterator[str]]]] = {
        "commands.md": ("Commands and options", _commands),
        "configuration.md": ("Keys of .gitops-ci.yaml", _keys),
        "variables.md": ("Environment variables", _variables),
        "action.md": ("Inputs and outputs of the GitHub action", _action),
        "gitlab.md": ("Inputs of the GitLab template", _template),
        "exit-codes.md": ("Exit codes", _exit_codes),
        "json.md": ("The JSON document", _json),
        "rules.md": ("Rules of validate", _rules),
        "names.md": ("Formats, code hosts and reports", _names),
    }
    return {name: f"# {title}\n\n" + "\n".join(make()).rstrip() + "\n" for name, (title, make) in makers.items()}


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, with its whole name."""
    for section in COMMAND_SECTIONS.values():
        for name in section:
            command = COMMANDS[name]
            if isinstance(command, click.Group):
                yield from ((f"{name} {inner}", one) for inner, one in command.commands.items())
            else:
                yield name, command


def _commands() -> Iterator[str]:
    for name, command in commands():
        yield f"## gitops-ci {name}\n"
        usage = command.get_usage(click.Context(command, info_name=f"gitops-ci {name}"))
        yield f"```text\n{' '.join(usage.split()).removeprefix('Usage: ')}\n```\n"
        yield f"{_text(' '.join((command.help or '').split()))}\n"
        yield from _table(("option", "what it does", "default"), (_option_row(one) for one in _options(command)))
        for what_for, line in EXAMPLES.get(name, ()):
            yield f"{_text(what_for)}\n\n```sh\n{line}\n```\n"


def _options(command: click.Command) -> Iterator[click.Option]:
    return (option for option in command.params if isinstance(option, click.Option) and not option.hidden)


def _option_row(option: click.Option) -> tuple[str, str, str]:
    names = ", ".join(f"`{name}`" for name in sorted(option.opts, key=len, reverse=True))
    choices = option.type.choices if isinstance(option.type, click.Choice) else ()
    value = f" `{option.metavar}`" if option.metavar else f" {_codes(map(str, choices))}" if choices else ""
    default = option.default if isinstance(option.default, (str, int, float)) and option.default is not False else ""
    return names + value, option.help or "", f"`{default}`" if default not in {"", None} else ""


def _keys() -> Iterator[str]:
    yield "Keys are those of `gitops-ci config schema`. Names in capitals are yours.\n"
    yield from _table(("key", "type", "what it does"), _properties("", schema()["properties"]))


def _properties(prefix: str, properties: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for name, one in properties.items():
        key = f"{prefix}{name}"
        yield f"`{key}`", _type(one), one.get("description", "")
        if inner := one.get("properties"):
            yield from _properties(f"{key}.", inner)
        if isinstance(more := one.get("additionalProperties"), dict) and "properties" in more:
            yield from _properties(f"{key}.NAME.", more["properties"])
        if "properties" in one.get("items", {}):
            yield from _properties(f"{key}[].", one["items"]["properties"])


def _type(one: Mapping[str, Any]) -> str:
    if "enum" in one:
        return _codes(map(str, one["enum"]))
    if "anyOf" in one:
        return "text, or a list"
    kinds = one.get("type", "")
    first = kinds if isinstance(kinds, str) else next((kind for kind in kinds if kind != "null"), "")
    return {"object": "section", "array": "list", "boolean": "true or false", "string": "text"}.get(first, first)


def _variables() -> Iterator[str]:
    yield "Each option reads a variable. An empty variable counts as absent.\n"
    found: dict[str, tuple[str, set[str]]] = {}
    for name, command in commands():
        for option in _options(command):
            if option.envvar:
                found.setdefault(str(option.envvar), (max(option.opts, key=len), set()))[1].add(name)
    rows = ((f"`{name}`", f"`{option}` of {', '.join(sorted(used))}") for name, (option, used) in sorted(found.items()))
    yield from _table(("variable", "option"), rows)
    yield "## Without an option\n"
    yield from _table(("variable", "what it does"), ((f"`{name}`", text) for name, text in _SECRETS.items()))


def _action() -> Iterator[str]:
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    yield from _table(("input", "what it does"), _described(action["inputs"]))
    yield "## Outputs\n"
    yield from _table(("output", "what it is"), _described(action["outputs"]))


def _template() -> Iterator[str]:
    spec = next(yaml.safe_load_all((ROOT / ".gitlab-ci-template.yml").read_text()))
    inputs = spec["spec"]["inputs"]
    rows = ((f"`{name}`", one.get("description", ""), _default(one.get("default"))) for name, one in inputs.items())
    yield from _table(("input", "what it does", "default"), rows)


def _default(value: object) -> str:
    return f"`{value}`" if isinstance(value, (str, bool)) and value != "" else ""


def _described(entries: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    return ((f"`{name}`", one.get("description", "")) for name, one in entries.items())


def _exit_codes() -> Iterator[str]:
    kinds = [
        value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, errors.GitopsCiError)
    ]
    rows = [("0", "", "Done, or already up to date.")]
    rows += [(str(one.exit_code), f"`{one.kind}`", " ".join((one.__doc__ or "").split())) for one in kinds]
    yield from _table(("code", "`error.kind`", "meaning"), sorted(rows, key=lambda row: int(row[0])))


def _json() -> Iterator[str]:
    document = json.loads((ROOT / "gitops_ci" / "reporting" / "outcome.schema.json").read_text())
    yield f"`--output json` prints it, `--report json=FILE` writes it. {document['description']}\n"
    yield from _table(
        ("key", "type", "what it is"),
        ((f"`{name}`", _json_type(one), one.get("description", "")) for name, one in document["properties"].items()),
    )
    for name, one in document["$defs"].items():
        if "properties" in one:
            yield f"## {name}\n"
            rows = ((f"`{key}`", _json_type(inner), _about(inner)) for key, inner in one["properties"].items())
            yield from _table(("key", "type", "what it is"), rows)


def _about(one: Mapping[str, Any] | bool) -> str:
    return "" if isinstance(one, bool) else str(one.get("description", ""))


def _json_type(one: Mapping[str, Any] | bool) -> str:
    if isinstance(one, bool):
        return "anything"
    if "$ref" in one:
        return one["$ref"].rpartition("/")[2]
    if "enum" in one:
        return _codes(map(str, one["enum"]))
    if "const" in one:
        return f"`{one['const']}`"
    if "anyOf" in one:
        return " or ".join(_json_type(inner) for inner in one["anyOf"])
    kind = one.get("type", "")
    text = " or ".join(kind) if isinstance(kind, list) else kind
    return f"list of {_json_type(one['items'])}" if text == "array" and "items" in one else text


def _rules() -> Iterator[str]:
    by_family: dict[str, list[tuple[str, str]]] = {}
    for page in rule_pages():
        family = page.id.partition("/")[0]
        anchor = page.id.replace("/", "")
        by_family.setdefault(family, []).append((f"[`{page.id}`](../rules/{family}.md#{anchor})", page.what))
    for family, rows in by_family.items():
        yield f"## {family}\n\n{FAMILY_TITLES[family]}.\n"
        yield from _table(("rule", "what it means"), rows)


def _names() -> Iterator[str]:
    yield f"Formats (`--format`): {_codes(FORMATS)}. [What each one finds](../formats.md).\n"
    yield "## Code hosts\n"
    rows = ((f"`{name}`", _codes(kind.token_variables)) for name, kind in FORGES.items())
    yield from _table(("`--forge`", "variables with a token, after GITOPS_CI_TOKEN"), rows)
    yield f"## Reports\n\n`--report`: {_codes(name for name in REPORTERS if name != 'text')}.\n"


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(headings)} |"
    yield f"|{'---|' * len(headings)}"
    for row in rows:
        yield f"| {' | '.join(_cell(cell) for cell in row)} |"
    yield ""


def _cell(text: str) -> str:
    return _text(" ".join(text.split())).replace("|", "\\|")


def _text(text: str) -> str:
    """Help texts are plain: what looks like a tag is none."""
    return text.replace("<", "&lt;")


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


assert set(_SECRETS) >= {f"GITOPS_CI_{name}" for name in NO_OPTION} - {
    f"GITOPS_CI_{name}" for name in ("SOURCE", "VALIDATE_PATHS", "DIFF", "PACKAGE")
}
