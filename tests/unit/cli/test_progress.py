import sys

import pytest

from gitops_ci.cli.options import Output
from gitops_ci.cli.progress import Lines, progress_for


@pytest.mark.parametrize(
    "environment",
    [{"CI": "true"}, {"GITHUB_ACTIONS": "true"}, {"TF_BUILD": "True"}, {"GITLAB_CI": "true"}],
)
def test_a_job_with_a_terminal_gets_lines_all_the_same(monkeypatch, environment):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with progress_for(Output()) as progress:
        assert isinstance(progress, Lines)


def test_a_person_at_a_terminal_gets_bars(monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with progress_for(Output()) as progress:
        assert not isinstance(progress, Lines)
