"""The texts of `--help`: which command and option stands under which heading, and the examples of each command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["COMMAND_SECTIONS", "EXAMPLES", "OPTION_SECTIONS"]

# heading -> command -> what it does, in one line: the list of commands needs no command's module.
COMMAND_SECTIONS: Mapping[str, Mapping[str, str]] = {
    "The whole workflow": {
        "release": "Push an image, update the manifests, open the pull request.",
        "demo": "Try the whole workflow in a temporary folder.",
    },
    "Its steps": {
        "image": "Compute tags, push, copy and inspect images.",
        "bump": "Update an image in the config repository.",
        "promote": "Carry the images of one environment to the next.",
        "refresh": "Bring open pull requests up to date, or close them.",
        "validate": "Check manifests by the rules of the API server, offline.",
        "wait": "Wait until the operator reports success or failure.",
        "rule": "Explain the rules of `validate`.",
        "diff": "Show what a change does to the rendered objects.",
        "plan": "Divide a validation or a bump among several jobs.",
    },
    "Going back": {
        "rollback": "Take an image back to a version that ran before.",
        "hold": "Stop proposals for an image in an environment.",
        "unhold": "End a hold, and every block of the image's versions.",
    },
    "Looking at environments": {
        "status": "Show which version of each image is in which environment.",
        "compare": "Show what differs between two environments.",
        "history": "Show who deployed which version where and when.",
    },
    "Setting up": {
        "init": "Write a pipeline and .gitops-ci.yaml for this repository.",
        "config": "Check .gitops-ci.yaml, show its values, print its JSON Schema.",
        "completion": "Print the completion script of a shell.",
    },
}

# heading -> options, by their long names; the order here is the order there.
OPTION_SECTIONS: Mapping[str, Sequence[str]] = {
    "Image and tags": (
        *("image", "to", "image-name", "version", "version-from", "tags", "tag-suffix", "tag-prefix", "tag-match"),
        *("tag-date", "no-floating", "from-file", "all-tags", "match", "platform", "sparse", "digests", "show"),
        *("add", "key", "identity", "identity-regex", "issuer", "issuer-regex", "source", "source-regex"),
        *("attestation", "trusted-root", "annotation", "expect-revision", "with-referrers", "after-push"),
    ),
    "Repository and files": (
        *("config-repo", "also-named-in", "environment", "base", "path", "exclude", "format", "at"),
        *("match-name", "follow-anchors", "app-version", "pin", "clusters"),
    ),
    "How it is published": ("mode", "forge", "api-url", "deadline"),
    "Pull request": (
        *("title", "body", "branch", "fork", "group", "label", "reviewer", "assignee", "milestone", "draft", "merge"),
        *("merge-method", "reopen", "behind"),
    ),
    "Commit": ("commit-message", "signoff", "skip-ci", "author", "committer", "sign", "signing-key", "commit-with"),
    "What is compared": ("what", "head", "unit", "this-repository"),
    "What is checked": (
        "changed-since",
        "changed",
        "shard",
        "skip-kind",
        "render",
        "values",
        "substitute",
        "check-images",
        "fix",
    ),
    "Schemas": ("kubernetes-version", "crd-path", "schema-location", "missing-schema", "offline"),
    "Rules": ("rules", "skip-rules", "ignore", "fail-on"),
    "Registry": ("insecure", "registry-ca", "registry-auth-host"),
    "Promotion": ("select", "together", "copy", "wait", "skip-gate"),
    "Going back": ("reason", "hold", "until", "no-block"),
    "Exceptions": (
        *("allow-downgrade", "any-flavour", "allow-move", "allow-unchecked", "allow-empty", "allow-remote"),
        "ignore-hold",
        "allow-untrusted",
    ),
    "What is read": ("from", "since", "limit", "metrics", "failure-window", "anonymous", "ask-host"),
    "What is waited for": ("commit", "status", "status-by", "timeout"),
    "What is divided": ("for", "shards", "job-image"),
    "What is set up": ("ci", "dockerfile", "address", "package", "keep", "yes", "force"),
    "What is shown": ("command", "all", "form", "context", "show-noise", "tests"),
    "Output": (
        "dry-run",
        "comment",
        "comment-key",
        "comment-empty",
        "comment-parts",
        "output",
        "report",
        "color",
        "quiet",
        "verbose",
    ),
    "Other": ("config", "help"),
}

# command -> examples: what for, and the line.
EXAMPLES: Mapping[str, Sequence[tuple[str, str]]] = {
    "release": (
        (
            "Push the image that was built, and open a pull request for staging:",
            "gitops-ci release shop:build --to ghcr.io/acme/shop --version 1.5.0 --environment staging",
        ),
        (
            "Without a Docker Engine; all other values come from .gitops-ci.yaml:",
            "gitops-ci release oci-archive:shop.tar",
        ),
        ("Show what would happen, push nothing:", "gitops-ci release shop:build --mode dry-run"),
    ),
    "bump": (
        ("Open a pull request for staging:", "gitops-ci bump ghcr.io/acme/shop:1.5.0 --environment staging"),
        ("Show the diff, publish nothing:", "gitops-ci bump ghcr.io/acme/shop:1.5.0 --mode dry-run"),
        (
            "Push many images in one commit, without a pull request:",
            "gitops-ci bump --from-file images.yaml --mode push",
        ),
    ),
    "wait": (
        (
            "Until Flux has applied the newest commit of staging:",
            "gitops-ci wait --environment staging --status 'kustomization/*'",
        ),
        ("Until a test of a commit has ended:", "gitops-ci wait --commit 4f2a9c1 --status e2e --timeout 30m"),
    ),
    "promote": (
        ("Promote the images of staging, by pull request:", "gitops-ci promote --to production"),
        ("In the config repository's pipeline, each environment with promote: auto:", "gitops-ci promote --to auto"),
        (
            "The newest version that soaked in staging:",
            "gitops-ci promote ghcr.io/acme/shop --to production --select newest-soaked",
        ),
    ),
    "refresh": (
        ("After each push to the config repository's base branch:", "gitops-ci refresh"),
        ("Show what would be done:", "gitops-ci refresh --mode dry-run"),
    ),
    "validate": (
        (
            "All files below a folder, for several Kubernetes versions:",
            "gitops-ci validate apps --kubernetes-version 1.33..1.35",
        ),
        (
            "What a pull request affects, with a JUnit report:",
            "gitops-ci validate --changed-since origin/main --report junit=report.xml",
        ),
        ("What another program renders:", "gitops-ci validate -"),
    ),
    "diff": (
        ("What this branch does to the cluster:", "gitops-ci diff --base origin/main"),
        ("One line for each changed value:", "gitops-ci diff --form paths"),
        ("A required check:", "gitops-ci diff --fail-on deletes-data,refused"),
    ),
    "plan": (
        (
            "As many jobs as the change needs, for strategy.matrix of GitHub Actions:",
            "gitops-ci plan apps --changed-since origin/main --format github-matrix",
        ),
        (
            "Four jobs, for trigger: include: artifact of GitLab:",
            "gitops-ci plan apps --shards 4 --format gitlab-child-pipeline > jobs.yml",
        ),
        (
            "A job for each environment of .gitops-ci.yaml:",
            "gitops-ci plan --for bump ghcr.io/acme/shop:1.5.0 --format github-matrix",
        ),
    ),
    "image push": (
        (
            "One push, the tags 1.5.0, 1.5, 1 and latest:",
            "gitops-ci image push shop:build --to ghcr.io/acme/shop --version 1.5.0",
        ),
        (
            "An image that was built without a Docker Engine:",
            "gitops-ci image push oci-archive:shop.tar --to ghcr.io/acme/shop --tags sha",
        ),
    ),
    "image retag": (
        ("One more tag for an image in a registry:", "gitops-ci image retag ghcr.io/acme/shop:1.5.0 stable"),
        (
            "To another registry, by digest:",
            "gitops-ci image retag ghcr.io/acme/shop:1.5.0 --to registry.example.com/acme/shop",
        ),
    ),
    "image copy": (
        (
            "To another registry, with the same digest and tag:",
            "gitops-ci image copy ghcr.io/acme/shop:1.5.0 registry.example.com/acme/shop",
        ),
        (
            "Every version 1.x:",
            "gitops-ci image copy ghcr.io/acme/shop registry.example.com/acme/shop --all-tags --match '1.*'",
        ),
    ),
    "image labels": (("With another title:", "gitops-ci image labels --add org.opencontainers.image.title=Shop"),),
    "image prune": (
        (
            "The images of all but the 20 newest pull requests:",
            "gitops-ci image prune ghcr.io/acme/shop --match 'pr-*' --keep 20 --config-repo ../shop-config --dry-run",
        ),
    ),
    "image list": (("The tags of pull requests:", "gitops-ci image list ghcr.io/acme/shop --match 'pr-*'"),),
    "image digest": (
        ("The digest of one platform:", "gitops-ci image digest ghcr.io/acme/shop:1.5.0 --platform linux/arm64"),
    ),
    "image inspect": (
        ("The config of an image as JSON:", "gitops-ci image inspect ghcr.io/acme/shop:1.5.0 --show config"),
    ),
    "image tags": (
        (
            "What this build would be tagged, and why:",
            "gitops-ci image tags --to ghcr.io/acme/shop --version 1.5.0 --tags semver,sha",
        ),
    ),
    "rollback": (
        (
            "To the version before, by pull request:",
            'gitops-ci rollback ghcr.io/acme/shop --environment production --reason "500s at checkout"',
        ),
        (
            "All images of an environment, back to the state after a commit, without a pull request:",
            "gitops-ci rollback --environment production --to 4f2a9c1 --mode push",
        ),
    ),
    "hold": (
        (
            "No new version in production until the new year:",
            "gitops-ci hold ghcr.io/acme/shop --environment production --until 2027-01-04",
        ),
    ),
    "unhold": (("End the hold:", "gitops-ci unhold ghcr.io/acme/shop --environment production"),),
    "status": (
        ("All environments, in a checkout of the config repository:", "gitops-ci status"),
        ("Fail if an environment is behind the one before:", "gitops-ci status --image shop --fail-on drift"),
    ),
    "compare": (
        ("What production does not have yet:", "gitops-ci compare staging production"),
        (
            "Differences in the rendered objects:",
            "gitops-ci compare staging production --what rendered",
        ),
    ),
    "history": (
        ("One image in one environment:", "gitops-ci history ghcr.io/acme/shop --environment production"),
        (
            "The figures of a quarter, as an HTML page:",
            "gitops-ci history --since 90d --metrics --report html=history.html",
        ),
    ),
    "init": (
        (
            "For an application that is deployed from another repository:",
            "gitops-ci init --config-repo https://github.com/acme/shop-config",
        ),
        ("Show the files, write nothing:", "gitops-ci init --ci gitlab --dry-run"),
    ),
    "config show": (("The values of a release to production:", "gitops-ci config show --environment production"),),
    "config check": (("A file elsewhere:", "gitops-ci config check ../shop-config/.gitops-ci.yaml"),),
    "demo": (("Keep the folder:", "gitops-ci demo --keep demo"),),
    "completion": (
        ("bash 4.4 or newer, in ~/.bashrc:", 'eval "$(gitops-ci completion bash)"'),
        ("zsh, in ~/.zshrc after compinit:", 'eval "$(gitops-ci completion zsh)"'),
        ("fish, in ~/.config/fish/config.fish:", "gitops-ci completion fish | source"),
    ),
}
