"""HTTP to code hosts and registries: timeouts, retries, rate limits, redirects. The one importer of requests.

What a caller can rely on:

- Every request has timeouts, and its retries end with the deadline.
- A secret goes to the origin it was given for, and nowhere else: headers of the client belong to its `base`, and no
  redirect carries them away. `.netrc` is not read; proxies and CA bundles of the environment are.
- What may be repeated is repeated (RFC 9110 §9.2.2): GET, HEAD, PUT and DELETE on connection errors, 429 and 5xx.
  A POST is repeated only where the server said that it did nothing, or where nothing was sent.
"""

from gitops_ci.http.addresses import joined, origin_of, shown
from gitops_ci.http.answers import Response
from gitops_ci.http.client import Body, Http, Redirects
from gitops_ci.http.failures import HttpError
from gitops_ci.http.trust import authority_of, bundle_with

__all__ = [
    "Body",
    "Http",
    "HttpError",
    "Redirects",
    "Response",
    "authority_of",
    "bundle_with",
    "joined",
    "origin_of",
    "shown",
]
