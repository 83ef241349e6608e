"""Images for tests: built FROM scratch through a real Engine, so that nothing is pulled."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress

__all__ = ["digest_of", "images_for_tests", "remove_image"]


@contextmanager
def images_for_tests(engine: str) -> Iterator[Callable[..., str]]:
    """`make("shop:build", {"app": b"1"})` builds an image and returns its id; in the end all of them are removed."""
    built: set[str] = set()

    def make(name: str, files: Mapping[str, bytes] | None = None, *, labels: Mapping[str, str] | None = None) -> str:
        image = _build(engine, name, files, labels=labels)
        built.add(name)
        return image

    try:
        yield make
    finally:
        for name in built:
            remove_image(engine, name)


def _build(
    engine: str, name: str, files: Mapping[str, bytes] | None = None, *, labels: Mapping[str, str] | None = None
) -> str:
    """Build `name` FROM scratch, one layer a file. The same files give the same layers."""
    import docker

    content = dict(files or {"hello.txt": b"hello\n"})
    lines = ["FROM scratch", *(f'COPY ["{file}", "/{file}"]' for file in content)]
    lines += [f'LABEL "{key}"="{value}"' for key, value in (labels or {}).items()]
    context = _tar({**content, "Dockerfile": "\n".join(lines).encode()})
    with closing(docker.APIClient(base_url=engine)) as client:
        said = list(client.build(fileobj=context, custom_context=True, tag=name, rm=True, forcerm=True, decode=True))
        failed = [line["error"] for line in said if "error" in line]
        assert not failed, failed
        return str(client.inspect_image(name)["Id"])  # type: ignore[no-untyped-call]


def remove_image(engine: str, name: str) -> None:
    """Make sure that the Engine does not have the image: a test that was skipped or failed did not build it."""
    import docker
    from docker.errors import ImageNotFound

    with closing(docker.APIClient(base_url=engine)) as client, suppress(ImageNotFound):
        client.remove_image(name, force=True)


def digest_of(registry: str, repository: str, tag: str) -> str:
    """The digest of a tag, asked of the registry itself."""
    import requests

    accept = {"Accept": "application/vnd.docker.distribution.manifest.v2+json"}
    answer = requests.head(f"http://{registry}/v2/{repository}/manifests/{tag}", headers=accept, timeout=10)
    assert answer.status_code == 200, answer.status_code
    return answer.headers["Docker-Content-Digest"]


def _tar(files: Mapping[str, bytes]) -> io.BytesIO:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    buffer.seek(0)
    return buffer
