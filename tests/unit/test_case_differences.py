"""A case that fails says where, and shows a diff."""

from tests.support.differences import difference


def test_equal_files_have_no_difference(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_bytes(b"a: 1\r\n")
    assert difference(file, "a: 1\r\n") == ""


def test_a_difference_has_the_line_and_what_nobody_sees(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_bytes("é: 1\nb: 2 \nc: 3".encode())
    assert difference(file, "é: 1\nb: 2\r\nc: 3\n").splitlines() == [
        f"{file}:2: not what the case says",
        f"--- {file}",
        "+++ what came out",
        "@@ -1,3 +1,3 @@",
        " é: 1",
        "-b: 2·",
        "-c: 3\\ no line end",
        "+b: 2\\r",
        "+c: 3",
    ]


def test_a_file_that_ends_early_differs_behind_its_last_line(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text("a: 1\nb: 2\n")
    assert difference(file, "a: 1\n").startswith(f"{file}:2: ")


def test_a_file_that_is_not_there_is_named_with_what_to_write(tmp_path):
    file = tmp_path / "a.yaml"
    told = difference(file, "a: 1\n")
    assert told.startswith(f"{file}: is not there.")
    assert told.endswith("\n\na: 1\n")
