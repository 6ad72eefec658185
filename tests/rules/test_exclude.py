import pytest
from hypothesis import given
from hypothesis import strategies as st

from sesam.errors import WrongUsage
from sesam.rules.exclude import compile_excludes, read_patterns

FILE, DIRECTORY = False, True

# pattern, path, what it is, left out?
TABLE = [
    ("/srv/tmp", b"/srv/tmp", FILE, True),
    ("/srv/tmp", b"/srv/tmp2", FILE, False),
    ("/srv/tmp", b"/x/srv/tmp", FILE, False),
    ("/srv/tmp/", b"/srv/tmp", FILE, False),
    ("/srv/tmp/", b"/srv/tmp", DIRECTORY, True),
    ("*.o", b"/a/b.o", FILE, True),
    ("*.o", b"/a/.o", FILE, True),
    ("*.o", b"/a/b.o/c", FILE, False),
    ("*.o", b"/a/b.ox", FILE, False),
    ("cache/*.o", b"/x/cache/a.o", FILE, True),
    ("cache/*.o", b"/x/mycache/a.o", FILE, False),
    ("cache/*.o", b"/x/cache/y/a.o", FILE, False),
    ("cache/**/*.o", b"/x/cache/y/z/a.o", FILE, True),
    ("cache/**/*.o", b"/x/cache/a.o", FILE, True),
    ("/srv/**", b"/srv", DIRECTORY, False),
    ("/srv/**", b"/srv/a", FILE, True),
    ("/home/*/tmp", b"/home/ann/tmp", DIRECTORY, True),
    ("/home/*/tmp", b"/home/ann/x/tmp", DIRECTORY, False),
    ("?", b"/a/b", FILE, True),
    ("?", b"/a/bc", FILE, False),
    ("[a-c].txt", b"/b.txt", FILE, True),
    ("[!a-c].txt", b"/b.txt", FILE, False),
    ("[!a-c].txt", b"/d.txt", FILE, True),
    ("[]].txt", b"/].txt", FILE, True),
    ("a[b", b"/a[b", FILE, True),
    ("a[/]b", b"/a/b", FILE, False),
    (r"\*", b"/*", FILE, True),
    (r"\*", b"/a", FILE, False),
    ("a.b", b"/aXb", FILE, False),
    ("b\udcff", b"/b\xff", FILE, True),
    ("*", b"/line\nbreak", FILE, True),
    (r"re:\.(bak|tmp)$", b"/a/b.bak", FILE, True),
    (r"re:\.(bak|tmp)$", b"/a/b.bak/c", FILE, False),
    ("re:^/var/", b"/x/var/y", FILE, False),
    ("re:(?i)core", b"/CORE", FILE, True),
    (r"re:(.)\1", b"/xaab", FILE, True),
]


@pytest.mark.parametrize(("pattern", "path", "is_directory", "left_out"), TABLE)
def test_a_pattern_leaves_out_what_the_table_says(
    pattern: str, path: bytes, is_directory: bool, left_out: bool
) -> None:
    assert compile_excludes([pattern]).matches(path, is_directory) is left_out


@pytest.mark.parametrize("pattern", ["", "/", "re:", "re:(", "re:[", "//"])
def test_what_is_no_pattern_is_named(pattern: str) -> None:
    with pytest.raises(WrongUsage, match="exclude"):
        compile_excludes(["*.o", pattern])


def test_every_pattern_of_several_counts() -> None:
    excludes = compile_excludes(["*.a", "b/", "re:c$", "/d"])
    for path in (b"/x.a", b"/d", b"/ccc"):
        assert excludes.matches(path, False)
    assert excludes.matches(b"/q/b", True)
    assert not excludes.matches(b"/q/b", False)


def test_a_file_of_patterns_has_comments_and_empty_lines() -> None:
    assert read_patterns("# temporary\n\n*.tmp\r\n a b\n") == ["*.tmp", " a b"]


@given(st.text(st.sampled_from("ab/*?[]!\\.^-&|~"), min_size=1, max_size=12))
def test_any_glob_compiles_or_is_refused_with_a_sentence(pattern: str) -> None:
    try:
        compile_excludes([pattern]).matches(b"/a/b.a", False)
    except WrongUsage as error:
        assert pattern in str(error)


@given(st.binary(min_size=1, max_size=20).filter(lambda b: b"/" not in b))
def test_a_name_with_every_sign_escaped_matches_itself_alone(name: bytes) -> None:
    pattern = "".join("\\" + sign for sign in name.decode("utf-8", "surrogateescape"))
    excludes = compile_excludes([pattern])
    assert excludes.matches(b"/x/" + name, False)
    assert not excludes.matches(b"/x/" + name + b"y", False)
