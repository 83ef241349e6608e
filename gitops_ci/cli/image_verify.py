"""`gitops-ci image verify`, and the rules of `verify:` in the configuration."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from gitops_ci.cli.configured import ConfiguredCommand, config_of
from gitops_ci.cli.options import LinesOption, Output, option, output_options
from gitops_ci.cli.registry_options import CONFIG, DEADLINE, access_options, given_up_after, timed_access
from gitops_ci.cli.run import execute
from gitops_ci.config_keys import Config
from gitops_ci.errors import UsageError
from gitops_ci.imageref import in_lower_case

if TYPE_CHECKING:
    from gitops_ci.flows.image.verify import Verification
    from gitops_ci.registry.public_key import PublicKey

__all__ = ["verification_in", "verification_of", "verify_command"]

_LARGEST = 64 * 1024
_PEM = "-----BEGIN"


@click.command("verify", cls=ConfiguredCommand)
@click.argument("reference", metavar="REFERENCE")
@option(
    "--key",
    multiple=True,
    cls=LinesOption,
    metavar="FILE",
    help="Public key (cosign.pub) whose owner has to have signed the image; one of several. Repeatable. "
    "[the keys of verify: in .gitops-ci.yaml]",
)
@access_options
@DEADLINE
@CONFIG
@output_options
@click.pass_context
def verify_command(ctx: click.Context, /, reference: str, output: Output, **options: Any) -> None:
    """Verify that an image is signed: exit 0 if it is, 1 if it is not, 4 if nobody can tell.

    REFERENCE is an image of a registry, or oci:DIR[:NAME], oci-archive:FILE[:NAME]. The signature has to be for the
    digest of the whole image; an index is another image than its platforms.
    """
    from gitops_ci.flows.image.verify import verify_image
    from gitops_ci.registry.public_key import PublicKey
    from gitops_ci.reporting import images

    keys = tuple(PublicKey.parse(_text(path), path) for path in options["key"])
    policy = verification_of(config_of(ctx))
    text = reference if reference.startswith(("oci:", "oci-archive:")) else in_lower_case(reference)
    access = timed_access(options)
    with given_up_after(options["deadline"]):
        execute(
            "image verify",
            output._replace(printer=images.verified),
            lambda log: verify_image(text, keys, policy, access, log),
        )


def verification_of(config: Config) -> Verification:
    """The rules of a configuration file. Raises UsageError for a key that cannot be read, or is none."""
    return _verification(config, lambda path: _key_beside(path, config.source))


def verification_in(text: str, source: str, read: Callable[[str], bytes | None]) -> Verification:
    """The rules of a configuration file that lies in a commit; `read` gives another file of it, by its path.

    Raises:
        ConfigError: it is no configuration.
        UsageError: a key is not there, or is none.
    """
    from gitops_ci.config import parse
    from gitops_ci.registry.public_key import PublicKey

    def key(path: str) -> PublicKey:
        content = read(path)
        if content is None:
            raise UsageError(f"{source}: there is no key {path}", hint="Commit the file cosign.pub beside it.")
        return PublicKey.parse(content[:_LARGEST].decode("ascii", "replace"), path)

    return _verification(parse(text, source), key)


def _verification(config: Config, key: Callable[[str], PublicKey]) -> Verification:
    from gitops_ci.flows.image.verify import Rule, Verification
    from gitops_ci.registry.public_key import PublicKey

    def keys(texts: Sequence[str]) -> Iterator[PublicKey]:
        for text in texts:
            is_pem = text.lstrip().startswith(_PEM)
            yield PublicKey.parse(text, f"of {config.source}") if is_pem else key(text)

    return Verification(tuple(Rule(glob, tuple(keys(texts))) for glob, texts in config.verify.items()))


def _key_beside(path: str, source: str) -> PublicKey:
    """A key in a file of the folder that the configuration is in, or below it."""
    from gitops_ci.registry.public_key import PublicKey

    folder = os.path.realpath(os.path.dirname(source) or os.curdir)
    inside = os.path.realpath(os.path.join(folder, path))
    if os.path.isabs(path) or os.path.commonpath((folder, inside)) != folder:
        raise UsageError(
            f"{source}: the key {path} lies outside of the configuration's folder",
            hint="Put the file cosign.pub beside the configuration, or write the key itself into it.",
        )
    return PublicKey.parse(_text(inside), path)


def _text(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read(_LARGEST)
    except OSError as error:
        raise UsageError(f"The key {path} cannot be read: {error.strerror}", hint="Is the path right?") from None
