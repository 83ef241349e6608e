"""The HTTP door against a real server on loopback that follows a script."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic
from types import SimpleNamespace
from typing import Any

import pytest

from gitops_ci.http import Body, Http, HttpError, patience
from gitops_ci.secret import Secret
from gitops_ci.validation.custom_resources import fetched_schemas, schema_locations
from tests.support import missing
from tests.support.http_server import in_background
from tests.support.services import Unavailable, make_certificate


@dataclass
class Seen:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Step = tuple[int, dict[str, str], bytes] | str


@dataclass
class Server:
    """Answers with the steps of `script` in turn, the last one for ever; `"drop"` hangs up without an answer."""

    script: list[Step]
    url: str = ""
    seen: list[Seen] = field(default_factory=list)

    def next_step(self) -> Step:
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]


@contextmanager
def serving(*script: Step, tls: Path | None = None) -> Iterator[Server]:
    server = Server(list(script))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            if "chunked" in self.headers.get("transfer-encoding", ""):
                raise AssertionError("a body of known length is not sent in chunks")
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            server.seen.append(Seen(self.command, self.path, headers, body))
            step = server.next_step()
            if step == "drop":
                self.close_connection = True
                return
            status, extra, content = step
            self.send_response_only(status)
            for name, value in extra.items():
                self.send_header(name, value)
            if "Content-Length" not in extra:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)
            if "Content-Length" in extra:
                self.close_connection = True

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - the library's names

        def log_message(self, *args: Any) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{httpd.server_address[1]}"
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls / "server.pem", tls / "server.key")
        httpd.socket = context.wrap_socket(httpd.socket, server_side=True)
        server.url = f"https://127.0.0.1:{httpd.server_address[1]}"
    with in_background(httpd):
        yield server


OK: Step = (200, {}, b"{}")


class Time:
    """A clock that only sleeping moves on."""

    def __init__(self) -> None:
        self.at = 1000.0
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.at += seconds

    def clock(self) -> float:
        return self.at


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def client(time: Time) -> Iterator[Callable[..., Http]]:
    made: list[Http] = []

    def make(base: str = "", **options: Any) -> Http:
        made.append(Http(base, sleep=time.sleep, clock=time.clock, now=lambda: 1_800_000_000.0, **options))
        return made[-1]

    yield make
    for http in made:
        http.close()


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_what_may_be_repeated_is_repeated_on_a_passing_failure(client, time, method, status):
    with serving((status, {}, b""), (status, {}, b""), OK) as server:
        assert client(server.url).request(method, "/x").status == 200
    assert len(server.seen) == 3
    assert 0.25 <= time.pauses[0] <= 0.5
    assert 0.5 <= time.pauses[1] <= 1.0


def test_a_host_that_keeps_failing_gets_the_last_word_after_six_tries(client, time):
    with serving((503, {}, b"down")) as server:
        answer = client(server.url).request("GET", "/x")
    assert (answer.status, answer.text, len(server.seen)) == (503, "down", 6)
    assert sum(time.pauses) < 16


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
def test_an_answer_that_will_not_change_is_not_asked_for_again(client, status):
    with serving((status, {}, b"no")) as server:
        assert client(server.url).request("GET", "/x").status == status
    assert len(server.seen) == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_rate_limit_without_a_time_is_waited_for_within_the_deadline(client, time, method):
    """github.com answers so to too many requests at once: its secondary limit."""
    words = b'{"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}'
    with serving((403, {}, words), (403, {}, words), OK) as server:
        assert client(server.url, deadline=time.clock() + 300).request(method, "/x").status == 200
    assert time.pauses == [60, 120]


def test_a_rate_limit_that_outlasts_the_deadline_is_the_answer(client, time):
    with serving((403, {}, b"abuse detection mechanism")) as server:
        assert client(server.url, deadline=time.clock() + 170).request("GET", "/x").status == 403
    assert time.pauses == [60]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_too_many_requests_without_a_time_is_tried_soon_and_then_later(client, time, method):
    with serving(*[(429, {}, b"")] * 6, OK) as server:
        assert client(server.url, deadline=time.clock() + 300).request(method, "/x").status == 200
    assert [round(pause) for pause in time.pauses[-1:]] == [60]
    assert sum(time.pauses[:-1]) < 16


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_post_is_sent_once(client, status):
    with serving((status, {}, b"")) as server:
        assert client(server.url).request("POST", "/x", json={}).status == status
    assert len(server.seen) == 1


def test_a_post_whose_answer_is_lost_is_not_sent_again(client):
    with serving("drop") as server, pytest.raises(HttpError, match="closed the connection") as caught:
        client(server.url).request("POST", "/x", json={})
    assert len(server.seen) == 1
    assert caught.value.status == 0


def test_a_post_that_is_called_safe_is_sent_again(client):
    with serving("drop", (502, {}, b""), OK) as server:
        assert client(server.url).request("POST", "/x", json={"a": 1}, safe=True).status == 200
    assert [seen.body for seen in server.seen] == [b'{"a": 1}'] * 3


def test_a_put_that_is_called_unsafe_is_sent_once(client):
    with serving((502, {}, b"")) as server:
        assert client(server.url).request("PUT", "/x", json={}, safe=False).status == 502
    assert len(server.seen) == 1


def test_a_lost_answer_to_a_get_is_asked_for_again(client):
    with serving("drop", "drop", OK) as server:
        assert client(server.url).request("GET", "/x").status == 200
    assert len(server.seen) == 3


def test_a_body_that_breaks_off_is_asked_for_again(client):
    with serving((200, {"Content-Length": "100"}, b"half"), (200, {}, b"whole")) as server:
        assert client(server.url).request("GET", "/x").text == "whole"


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": formatdate(1_800_000_030, usegmt=True)}, 30),
        # The server's clock is an hour behind ours: only the difference counts.
        ({"Date": formatdate(1_799_996_400, usegmt=True), "Retry-After": formatdate(1_799_996_420, usegmt=True)}, 20),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1800000045"}, 45),
        ({"RateLimit-Remaining": "0", "RateLimit-Reset": "12"}, 12),
    ],
)
@pytest.mark.parametrize("status", [429, 403])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_host_that_names_a_time_is_waited_for(client, time, headers, pause, status, method):
    with serving((status, headers, b""), OK) as server:
        assert client(server.url).request(method, "/x").status == 200
    assert time.pauses == [pause]


@pytest.mark.parametrize("told", ["-5", "0", "soon", "", "1e9", formatdate(0), "99999999999999999999999"])
def test_an_absurd_retry_after_is_a_common_pause(client, time, told):
    with serving((429, {"Retry-After": told}, b""), OK) as server:
        assert client(server.url).request("GET", "/x").status == 200
    assert [0.25 <= pause <= 0.5 for pause in time.pauses] == [True]


@pytest.mark.parametrize("told", ["1000000000", "121", formatdate(1_900_000_000)])
def test_a_wait_beyond_the_deadline_is_told_instead_of_kept(client, time, told):
    with serving((429, {"Retry-After": told}, b"")) as server:
        answer = client(server.url).request("GET", "/x")
    assert (answer.status, time.pauses, len(server.seen)) == (429, [], 1)
    assert answer.wait is not None
    assert answer.wait > 120


def test_a_forbidden_that_is_no_rate_limit_is_final(client, time):
    with serving((403, {"x-ratelimit-remaining": "59", "x-ratelimit-reset": "1800000045"}, b"")) as server:
        answer = client(server.url).request("GET", "/x")
    assert (answer.wait, time.pauses, len(server.seen)) == (None, [], 1)


def test_the_deadline_ends_the_tries(client, time):
    with serving((503, {}, b"")) as server:
        client(server.url, deadline=time.clock() + 1.6).request("GET", "/x")
    assert sum(time.pauses) < 1.6
    assert len(server.seen) in {2, 3}


def test_nothing_is_sent_after_the_deadline(client, time):
    with serving(OK) as server, pytest.raises(HttpError, match="deadline passed"):
        client(server.url, deadline=time.clock() - 1).request("GET", "/x")
    assert server.seen == []


def test_a_redirect_on_the_same_origin_keeps_credentials(client):
    with serving((301, {"Location": "/moved"}, b""), OK) as server:
        http = client(server.url, headers={"Authorization": Secret("token-of-mine")})
        assert http.request("GET", "/x", params={"a": "1"}).status == 200
    assert [(seen.path, seen.headers["authorization"]) for seen in server.seen] == [
        ("/x?a=1", "token-of-mine"),
        ("/moved", "token-of-mine"),
    ]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_origin_is_refused(client, method, status):
    with serving(OK) as other, serving((status, {"Location": other.url + "/steal?token=1"}, b"")) as server:
        http = client(server.url, headers={"Authorization": Secret("token-of-mine")})
        with pytest.raises(HttpError, match="not followed") as caught:
            http.request(method, "/x", json={} if method != "GET" else None)
    assert other.seen == []
    assert caught.value.status == status
    assert "token" not in caught.value.message


def test_a_redirect_without_credentials_carries_nothing_of_ours(client):
    with serving((200, {}, b"blob")) as other, serving((307, {"Location": other.url + "/blob?sig=1"}, b"")) as server:
        http = client(server.url, headers={"Authorization": Secret("token-of-mine")})
        headers = {"Range": "bytes=0-", "Cookie": "a=b", "X-Key": Secret("key-of-mine")}
        answer = http.request("GET", "/x", headers=headers, redirects="without-credentials")
    assert answer.content == b"blob"
    assert other.seen[0].headers.keys() <= {"host", "user-agent", "accept-encoding", "accept", "connection", "range"}
    assert other.seen[0].headers["range"] == "bytes=0-"


def test_a_307_keeps_method_and_body(client):
    with serving((307, {"Location": "/there"}, b""), OK) as server:
        client(server.url).request("POST", "/x", json={"a": 1})
    assert [(s.method, s.path, s.body) for s in server.seen] == [
        ("POST", "/x", b'{"a": 1}'),
        ("POST", "/there", b'{"a": 1}'),
    ]


@pytest.mark.parametrize("location", ["http://[/x", "ftp://127.0.0.1/", "javascript:1"])
def test_a_redirect_to_nonsense_is_refused(client, location):
    with (
        serving((307, {"Location": location}, b"")) as server,
        pytest.raises(HttpError, match=r"not followed|not an address"),
    ):
        client(server.url).request("GET", "/x", redirects="without-credentials")


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_redirect_never_turns_a_post_into_a_get(client, status):
    with serving((status, {"Location": "/there"}, b"")) as server, pytest.raises(HttpError, match="not followed"):
        client(server.url).request("POST", "/x", json={})
    assert len(server.seen) == 1


def test_a_circle_of_redirects_ends(client):
    with serving((302, {"Location": "/x"}, b"")) as server, pytest.raises(HttpError, match="in a loop"):
        client(server.url).request("GET", "/x")


def test_headers_of_the_client_go_to_its_base_only(client):
    with serving(OK) as other, serving(OK) as server:
        http = client(server.url, headers={"PRIVATE-TOKEN": Secret("token-of-mine")})
        http.request("GET", "/x")
        http.request("GET", other.url + "/x")
    assert server.seen[0].headers["private-token"] == "token-of-mine"
    assert "private-token" not in other.seen[0].headers


def test_a_secret_header_needs_an_origin():
    with pytest.raises(ValueError, match="origin"):
        Http(headers={"Authorization": Secret("token-of-mine")})


def test_netrc_is_not_read(client, clean_environment: Path):
    (clean_environment / ".netrc").write_text("machine 127.0.0.1 login me password netrc-secret\n")
    with serving(OK) as server:
        client(server.url).request("GET", "/x")
    assert "authorization" not in server.seen[0].headers


def test_cookies_are_not_kept(client):
    with serving((200, {"Set-Cookie": "session=1; Path=/"}, b"")) as server:
        http = client(server.url)
        http.request("GET", "/x")
        http.request("GET", "/x")
    assert "cookie" not in server.seen[1].headers


def test_the_proxy_of_the_environment_is_used(client, monkeypatch):
    with serving((200, {}, b"by proxy")) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        assert client().request("GET", "http://forge.invalid/x").text == "by proxy"
    assert proxy.seen[0].path == "http://forge.invalid/x"


def test_loopback_is_asked_without_the_proxy(client, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    with serving(OK) as server:
        assert client(server.url).request("GET", "/x").status == 200


def test_a_dead_proxy_is_named(client, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://user:proxy-secret@127.0.0.1:1")
    with pytest.raises(HttpError, match="proxy") as caught:
        client().request("GET", "http://forge.invalid/x")
    assert "proxy-secret" not in str(caught.value)


def test_who_asks_is_said(client):
    with serving(OK) as server:
        client(server.url).request("GET", "/x")
    assert server.seen[0].headers["user-agent"].startswith("gitops-ci/")


def test_a_refused_connection_is_tried_four_times_even_for_a_post(client, time):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(HttpError, match="refuses connections"):
            client(address).request("POST", "/x?token=1", json={})
    assert len(time.pauses) == 3


def test_an_unknown_host_is_named_at_once(client, time):
    with pytest.raises(HttpError, match=r"cannot resolve host forge\.invalid") as caught:
        client("https://forge.invalid").request("GET", "/x?key=1")
    assert caught.value.url == "https://forge.invalid/x"
    assert time.pauses == []


def test_a_resolver_that_cannot_say_is_asked_again(client, time, monkeypatch):
    def failing(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", failing)
    with pytest.raises(HttpError, match=r"cannot resolve host forge\.invalid"):
        client("https://forge.invalid").request("GET", "/x")
    assert len(time.pauses) == 3


def test_a_silent_host_is_a_timeout(client):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        base = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(HttpError, match="did not answer in time"):
            client(base, timeout=0.05).request("POST", "/x")


def test_a_host_that_speaks_no_tls_is_a_tls_error_and_final(client, time):
    with serving(OK) as server, pytest.raises(HttpError, match=r"TLS with 127\.0\.0\.1"):
        client(server.url.replace("http:", "https:")).request("GET", "/x")
    assert time.pauses == []


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `ca.pem`, and `server.pem` and `server.key` for 127.0.0.1 that it signed."""
    folder = tmp_path_factory.mktemp("tls")
    try:
        make_certificate(folder)
    except Unavailable as absent:
        missing(str(absent))
    return folder


def test_an_unknown_certificate_authority_is_refused_at_once(client, time, certificates):
    with serving(OK, tls=certificates) as server, pytest.raises(HttpError, match="TLS with") as caught:
        client(server.url, headers={"Authorization": Secret("token-of-mine")}).request("GET", "/x")
    assert "unable to get local issuer certificate" in caught.value.message
    assert "SSL_CERT_FILE" in caught.value.hint
    assert (server.seen, time.pauses) == ([], [])


def test_the_authority_of_the_environment_is_believed(client, certificates, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates / "ca.pem"))
    with serving(OK, tls=certificates) as server:
        assert client(server.url).request("GET", "/x").status == 200


def test_an_authority_that_is_given_wins_over_the_environments(client, certificates, monkeypatch, tmp_path):
    (tmp_path / "other.pem").write_text((certificates / "server.pem").read_text())
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "other.pem"))
    with serving(OK, tls=certificates) as server:
        assert client(server.url, verify=str(certificates / "ca.pem")).request("GET", "/x").status == 200


@pytest.mark.parametrize("url", ["http://", "http:///x", "ftp://127.0.0.1/x", "http://[/x", "nothing"])
def test_what_is_no_address_is_said_so(client, url):
    with pytest.raises(HttpError, match="not an address"):
        client().request("GET", url)


@pytest.mark.parametrize("token", ["tok\nen-value", "tok\ren-value", "токен-value"])
def test_a_token_that_fits_no_header_is_said_so_without_the_token(client, token):
    with serving(OK) as server, pytest.raises(HttpError, match="characters that headers cannot contain") as caught:
        client(server.url, headers={"Authorization": Secret(token)}).request("GET", "/x")
    assert token not in f"{caught.value.message}{caught.value.hint}"
    assert server.seen == []


def test_what_is_no_json_is_said_so(client):
    with serving((200, {"Content-Type": "text/html"}, b"<html>sign in</html>")) as server:
        answer = client(server.url).request("GET", "/x")
        with pytest.raises(HttpError, match="text/html where JSON was expected"):
            answer.json()


def test_a_body_of_known_length_is_produced_anew_for_every_try(client):
    pieces = [b"a" * 70_000, b"b" * 30_000]
    with serving((502, {}, b""), (201, {}, b"")) as server:
        answer = client(server.url).request("PUT", "/x", data=Body(100_000, lambda: pieces))
    assert answer.status == 201
    assert [len(seen.body) for seen in server.seen] == [100_000, 100_000]
    assert server.seen[1].headers["content-length"] == "100000"
    assert server.seen[1].body == b"".join(pieces)


def test_a_streamed_answer_comes_in_pieces(client):
    with serving((200, {}, b"x" * 10_000)) as server:
        pieces = list(client(server.url).request("GET", "/x", stream=True).iter_bytes(4096))
    assert [len(piece) for piece in pieces] == [4096, 4096, 1808]


def test_a_streamed_answer_that_breaks_off_is_an_error(client):
    with serving((200, {"Content-Length": "100"}, b"half")) as server:
        answer = client(server.url).request("GET", "/x", stream=True)
        with pytest.raises(HttpError, match="closed the connection"):
            list(answer.iter_bytes())


def test_a_huge_answer_is_refused(client, monkeypatch):
    monkeypatch.setattr("gitops_ci.http.answers.LARGEST", 1000)
    with serving((200, {}, b"x" * 2000)) as server, pytest.raises(HttpError, match="larger than"):
        client(server.url).request("POST", "/x")


TRICKLES = {
    "header": b"HTTP/1.1 200 OK\r\nX-Long: ",
    "headers": b"HTTP/1.1 200 OK\r\n",
    "body of known length": b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
    "body in chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n186a0\r\n",
    "body without length": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
    "refusal": b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 100000\r\n\r\n",
}


@contextmanager
def trickling(beginning: bytes) -> Iterator[str]:
    """A host that sends a byte now and then, for longer than any test waits; its address."""
    over = threading.Event()

    def answer(connection: socket.socket) -> None:
        with connection:
            connection.recv(65536)
            connection.sendall(beginning)
            for number in range(100):  # 10 seconds
                if over.wait(0.1):
                    return
                connection.sendall(b"x: y\r\n"[number % 6 :][:1] if beginning == TRICKLES["headers"] else b"x")

    def serve() -> None:
        while not over.is_set():
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=lambda one=connection: suppressed(answer, one), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        over.set()
        listening.shutdown(socket.SHUT_RDWR)


def suppressed(work: Callable[[socket.socket], None], connection: socket.socket) -> None:
    with suppress(OSError):
        work(connection)


@pytest.mark.parametrize("beginning", TRICKLES.values(), ids=TRICKLES)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_host_that_sends_byte_by_byte_is_given_up_at_the_deadline(method: str, beginning: bytes) -> None:
    with (
        trickling(beginning) as url,
        Http(url, deadline=monotonic() + 0.5) as http,
        pytest.raises(HttpError, match=r"the deadline passed before 127\.0\.0\.1:\d+ had answered in full"),
    ):
        http.request(method, "/api", json={} if method == "POST" else None)


def test_a_schema_location_that_sends_byte_by_byte_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetched_schemas, "_PATIENCE", 0.5)
    warnings: list[str] = []
    with trickling(TRICKLES["body of known length"]) as url:
        location = f"{url}/{{{{ .ResourceKind }}}}.json"
        schema_locations.Locations([location], warn=warnings.append)("acme.io/v1", "Shop", "1.33")
    assert "the deadline passed" in warnings[0]


def test_without_a_free_thread_work_is_done_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refused(threading.Thread):
        def start(self) -> None:
            raise RuntimeError("can't start new thread")

    monkeypatch.setattr(patience, "threading", SimpleNamespace(Thread=Refused))
    assert patience.in_time(0.0, lambda: "done") == "done"
