"""`gitops-ci image verify`, and the rules of `verify:` in the configuration."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from gitops_ci.cli.configured import ConfiguredCommand, config_of
from gitops_ci.cli.options import LinesOption, Output, option, output_options
from gitops_ci.cli.registry_options import CONFIG, DEADLINE, access_options, given_up_after, timed_access
from gitops_ci.cli.run import execute
from gitops_ci.config_keys import Config, VerifyRule
from gitops_ci.errors import UsageError
from gitops_ci.imageref import in_lower_case

if TYPE_CHECKING:
    from gitops_ci.flows.image.verify import Rule, Verification
    from gitops_ci.registry.signatures import Signer

__all__ = ["verification_in", "verification_of", "verify_command"]

_LARGEST = 4 * 1024 * 1024  # bytes of a trusted root, with all of its certificates
_LARGEST_KEY = 64 * 1024
_PEM = "-----BEGIN"


@click.command("verify", cls=ConfiguredCommand)
@click.argument("reference", metavar="REFERENCE")
@option(
    "--key",
    multiple=True,
    cls=LinesOption,
    metavar="FILE",
    help="Public key (cosign.pub). The image needs a signature with one of the keys. Repeatable. "
    "[the keys of verify: in .gitops-ci.yaml]",
)
@option(
    "--identity",
    metavar="NAME",
    help="Required signer, for signatures without a key: an address, or the URL of a workflow.",
)
@option("--identity-regex", metavar="REGEX", help="RE2 pattern that the whole identity must match.")
@option("--issuer", metavar="URL", help="Address of the identity provider that vouches for the identity.")
@option("--issuer-regex", metavar="REGEX", help="RE2 pattern that the whole issuer must match.")
@option("--source", metavar="URL", help="Repository that the image is built from: https://github.com/acme/shop.")
@option("--source-regex", metavar="REGEX", help="RE2 pattern that the whole source must match.")
@option(
    "--attestation",
    multiple=True,
    cls=LinesOption,
    metavar="TYPE",
    help="Required type of attestation, in place of a signature: its address, or cosign's name. Repeatable.",
)
@option(
    "--trusted-root",
    metavar="FILE",
    help="trusted_root.json of another sigstore instance; packaged: the public one of the installed library. "
    "[the public one, fetched]",
)
@access_options
@DEADLINE
@CONFIG
@output_options
@click.pass_context
def verify_command(ctx: click.Context, /, reference: str, output: Output, **options: Any) -> None:
    """Verify that an image is signed. Exit code: 0 if it is signed, 1 if not, 4 if this cannot be checked.

    Signatures without a key need pip install 'gitops-ci[verify]', --identity and --issuer.

    REFERENCE is an image of a registry, or oci:DIR[:NAME], oci-archive:FILE[:NAME]. The signature must be for the
    digest of the whole image. A signature of an index does not count for one of its platforms.
    """
    from gitops_ci.flows.image.verify import verify_image
    from gitops_ci.reporting import images

    given = VerifyRule(**{name: options[name] or VerifyRule._field_defaults[name] for name in VerifyRule._fields})
    rule: Rule | None = None
    if any(given):
        try:
            given.check()
        except UsageError as error:
            raise UsageError(f"The signer: {error.message}", hint=error.hint) from None
        rule = _rule("", given, "the command line", lambda path: _read(path, ""))
    policy = verification_of(config_of(ctx))
    text = reference if reference.startswith(("oci:", "oci-archive:")) else in_lower_case(reference)
    access = timed_access(options)
    with given_up_after(options["deadline"]):
        execute(
            "image verify",
            replace(output, printer=images.verified),
            lambda log: verify_image(text, rule, policy, access, log),
        )


def verification_of(config: Config) -> Verification:
    """The rules of a configuration file. Raises UsageError for a key that cannot be read, or is none."""
    return _verification(config, lambda path: _read(path, config.source))


def verification_in(text: str, source: str, read: Callable[[str], bytes | None]) -> Verification:
    """The rules of a configuration file that lies in a commit; `read` gives another file of it, by its path.

    Raises:
        ConfigError: it is not configuration.
        UsageError: a key is not there, or is none.
    """
    from gitops_ci.config import parse

    def content(path: str) -> bytes:
        found = read(path)
        if found is None:
            raise UsageError(f"there is no file {path}", hint="Commit it beside the configuration.")
        return found

    return _verification(parse(text, source), content)


def _verification(config: Config, read: Callable[[str], bytes]) -> Verification:
    from gitops_ci.flows.image.verify import Verification

    rules = []
    for glob, rule in config.verify.items():
        try:
            rules.append(_rule(glob, rule, config.source, read))
        except UsageError as error:
            raise UsageError(f"{config.source}: verify.{glob}: {error.message}", hint=error.hint) from None
    return Verification(tuple(rules))


def _rule(glob: str, rule: VerifyRule, source: str, read: Callable[[str], bytes]) -> Rule:
    from gitops_ci.flows.image.verify import Rule
    from gitops_ci.registry.signatures import attestation_type

    signers = tuple(_signers(rule, source, read))
    kinds = tuple(dict.fromkeys(map(attestation_type, rule.attestation)))
    return Rule(glob, signers, kinds) if kinds else Rule(glob, signers)


def _signers(rule: VerifyRule, source: str, read: Callable[[str], bytes]) -> Iterator[Signer]:
    """The owners of the keys, and the identity. `read` gives the bytes of a file by its path."""
    from gitops_ci.registry.keyless import Keyless, Text, TrustedRoot
    from gitops_ci.registry.public_key import PublicKey

    for text in rule.key:
        is_pem = text.lstrip().startswith(_PEM)
        content = text if is_pem else read(text)[:_LARGEST_KEY].decode("ascii", "replace")
        yield PublicKey.parse(content, f"of {source}" if is_pem else text)
    if rule.is_keyless:
        texts = (
            Text(rule.identity or rule.identity_regex, is_pattern=not rule.identity),
            Text(rule.issuer or rule.issuer_regex, is_pattern=not rule.issuer),
        )
        stated = rule.source or rule.source_regex
        built_from = Text(stated, is_pattern=not rule.source) if stated else None
        for wanted in (*texts, *([built_from] if built_from else [])):
            wanted.check()
        yield Keyless(*texts, TrustedRoot.named(rule.trusted_root, read), built_from)


def _read(path: str, source: str) -> bytes:
    """A file by its path; one that a configuration names lies in that configuration's folder, or below it."""
    inside = path
    if source:
        folder = os.path.realpath(os.path.dirname(source) or os.curdir)
        inside = os.path.realpath(os.path.join(folder, path))
        if os.path.isabs(path) or os.path.commonpath((folder, inside)) != folder:
            raise UsageError(
                f"{path} is outside of the configuration's folder",
                hint="Put the file beside the configuration. A key can be written into it as text.",
            )
    try:
        with open(inside, "rb") as file:
            return file.read(_LARGEST)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", hint="Check the path.") from None
