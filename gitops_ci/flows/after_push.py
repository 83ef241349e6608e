"""`--after-push`: the user's own program between push and bump, for signatures and attestations.

What is deployed is signed then: a program that fails stops the run before anything reaches Git.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import UsageError
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Log, PushedTag
from gitops_ci.process import run
from gitops_ci.variables import variables

__all__ = ["AfterPush"]

_FIELDS = ("reference", "image", "digest", "tag")
_FIELD = re.compile(r"\{([^{}]*)\}")
_SECONDS = 600.0  # a signature waits for an identity provider and a transparency log


@dataclass(frozen=True, slots=True)
class AfterPush:
    """A program with its arguments, each of which may have fields. There is no shell."""

    words: tuple[str, ...]

    @classmethod
    def parse(cls, command: str) -> AfterPush | None:
        """Read a command as a shell would divide it; None for an empty one.

        Raises:
            UsageError: a quote without its partner, an unknown field, or a program that is a field.
        """
        try:
            words = tuple(shlex.split(command))
        except ValueError as error:
            raise UsageError(f"--after-push cannot be divided into words: {error}", hint="Close the quote.") from None
        if not words:
            return None
        unknown = next((name for word in words for name in _FIELD.findall(word) if name not in _FIELDS), None)
        if unknown is not None:
            raise UsageError(
                f"--after-push has no field {{{unknown}}}",
                hint=f"Known fields: {', '.join(f'{{{n}}}' for n in _FIELDS)}.",
            )
        if _FIELD.search(words[0]):
            raise UsageError("--after-push begins with a field", hint="Name a program: cosign sign --yes {reference}.")
        return cls(words)

    def run_for(self, images: tuple[PushedTag, ...], log: Log) -> None:
        """Run the program for the image in each registry that it was pushed to, by its digest.

        Raises:
            ProgramError: it is missing, failed, or did not end in ten minutes.
        """
        done: set[str] = set()
        for image in images:
            ref = ImageRef.try_parse(image.reference)
            if ref is None or image.digest is None or image.reference.startswith("oci:"):
                continue
            name = ref.with_version(tag=None, digest=None)
            if str(name) in done:
                continue
            done.add(str(name))
            fields = {
                "reference": str(name.with_version(tag=None, digest=image.digest)),
                "image": str(name),
                "digest": image.digest,
                "tag": image.tag or "",
            }
            program, *arguments = (_filled(word, fields) for word in self.words)
            log.step(f"running {program} for {fields['reference']}")
            ended = run([program, *arguments], environment=_environment(), seconds=_SECONDS, own_group=True)
            for line in (ended.stdout.decode("utf-8", "replace") + ended.stderr).splitlines():
                log.detail(line)


def _filled(word: str, fields: Mapping[str, str]) -> str:
    return _FIELD.sub(lambda found: fields[found[1]], word)


def _environment() -> Mapping[str, str]:
    """The user's own program signs with the job's identity, whose variables are secrets; it gets none of ours."""
    return {name: value for name, value in variables().items() if not name.startswith("GITOPS_CI_")}
