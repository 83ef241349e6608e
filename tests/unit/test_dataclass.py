"""The project's `dataclass` does what the standard library's does."""

import dataclasses
import inspect
import pickle
import pkgutil
import re
from importlib import import_module
from pathlib import Path

import pytest

import gitops_ci
from gitops_ci.dataclass import dataclass


def classes():
    """Each class of the program that has fields, in the order of modules."""
    found = {}
    for module in pkgutil.walk_packages(gitops_ci.__path__, "gitops_ci."):
        if module.name != "gitops_ci.__main__":
            for value in vars(import_module(module.name)).values():
                if isinstance(value, type) and dataclasses.is_dataclass(value):
                    found[f"{value.__module__}.{value.__qualname__}"] = value
    return found


def test_classes_of_the_program_are_as_the_standard_library_makes_them():
    wrong = []
    for name, ours in classes().items():
        if hasattr(ours, "__post_init__"):
            continue  # takes no texts
        fields = dataclasses.fields(ours)
        theirs = dataclasses.make_dataclass(
            ours.__qualname__,
            [(field.name, field.type, dataclasses.field(**options(field))) for field in fields],
            frozen=ours.__hash__ is not None,
        )
        values = {field.name: field.name for field in fields if field.init}
        one, model = ours(**values), theirs(**values)
        alike = (
            parameters(ours) == parameters(theirs)
            and ours.__match_args__ == theirs.__match_args__
            and (("__repr__" in vars(ours) and not all(field.init for field in fields)) or repr(one) == repr(model))
            and one == ours(**values)
            and all(
                (one == dataclasses.replace(one, **{field: "other"}))
                is (model == dataclasses.replace(model, **{field: "other"}))
                for field in values
            )
            and one != model
            and (ours.__hash__ is None or hash(one) == hash(ours(**values)))
        )
        if not alike:
            wrong.append(name)
    assert not wrong
    assert len(classes()) > 200


def test_no_module_compiles_all_methods_of_its_classes():
    """Each class that the standard library's decorator makes costs every run that imports it a millisecond."""
    for module in Path(gitops_ci.__file__).parent.rglob("*.py"):
        imported = re.findall(r"^from dataclasses import (.*)$", module.read_text(), re.MULTILINE)
        assert module.name == "dataclass.py" or "dataclass" not in ", ".join(imported).split(", "), module


def options(field):
    given = {"init": field.init, "repr": field.repr, "compare": field.compare}
    if field.default is not dataclasses.MISSING:
        given["default"] = field.default
    if field.default_factory is not dataclasses.MISSING:
        given["default_factory"] = field.default_factory
    return given


def parameters(kind):
    """Names, and which have a default."""
    known = inspect.signature(kind).parameters.values()
    return [(one.name, one.kind, one.default is inspect.Parameter.empty) for one in known]


@dataclass(frozen=True, slots=True)
class Place:
    path: str
    line: int = 1
    notes: list[str] = dataclasses.field(default_factory=list, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Range(Place):
    end: int = 2


@dataclass(slots=True)
class Counter:
    count: int = 0


@dataclass
class Checked:
    value: int

    def __post_init__(self):
        if self.value < 0:
            raise ValueError(self.value)


def test_a_frozen_object_cannot_be_changed():
    place = Place("a.yaml")
    with pytest.raises(dataclasses.FrozenInstanceError, match="'line'"):
        place.line = 2
    with pytest.raises(dataclasses.FrozenInstanceError, match="'line'"):
        del place.line


def test_an_object_that_is_not_frozen_changes_and_has_no_hash():
    counter = Counter()
    counter.count += 1
    assert counter == Counter(1)
    with pytest.raises(TypeError, match="unhashable"):
        hash(counter)


def test_each_object_has_defaults_of_its_own():
    one, other = Place("a"), Place("a")
    one.notes.append("x")
    assert other.notes == []
    assert one == other
    assert repr(one) == "Place(path='a', line=1)"


def test_a_subclass_has_the_fields_of_both():
    assert Range("a", 3, [], 4) == Range("a", 3, end=4)
    assert Range("a") != Place("a")
    assert [field.name for field in dataclasses.fields(Range)] == ["path", "line", "notes", "end"]


def test_objects_go_to_other_processes():
    assert pickle.loads(pickle.dumps(Range("a", end=5))) == Range("a", end=5)
    assert pickle.loads(pickle.dumps(Counter(3))) == Counter(3)


def test_wrong_arguments_are_refused():
    with pytest.raises(TypeError, match="path"):
        Place()
    with pytest.raises(TypeError, match="other"):
        Place("a", other=1)


def test_an_object_is_checked_when_it_is_made():
    for _ in range(2):
        with pytest.raises(ValueError, match="-1"):
            Checked(-1)
    assert Checked(1).value == 1


def test_a_class_has_no_more_room_than_its_slots():
    assert not hasattr(Place("a"), "__dict__")
    assert Place.__doc__ == "Place"
