"""`gatewise config`: the reference of params.yaml, made from the models themselves."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from rich.markup import escape
from rich.tree import Tree

from gatewise.config import (
    ObjectiveOptions,
    SourceOptions,
    Study,
    objective_class,
    objective_kinds,
    source_class,
    source_kinds,
)


def reference() -> Tree:
    """Every key with its type, default and meaning, nested as in the file."""
    tree = Tree("[bold]params.yaml")
    _add_fields(tree, Study)
    return tree


def _add_fields(tree: Tree, model: type[BaseModel]) -> None:
    for name, field in model.model_fields.items():
        branch = tree.add(_line(name, field))
        models = _models(field.annotation)
        if models == [SourceOptions]:
            models = [source_class(kind) for kind in source_kinds()]
        if models == [ObjectiveOptions]:
            models = [objective_class(kind) for kind in objective_kinds()]
        for inner in models:
            under = branch
            if len(models) > 1:
                kind = get_args(inner.model_fields["kind"].annotation)[0]
                under = branch.add(f"[italic]kind: {kind}[/italic]  [dim]{_summary(inner)}")
            _add_fields(under, inner)


def _line(name: str, field: FieldInfo) -> str:
    default = "" if field.is_required() else _default(field)
    meaning = f"  [dim]{escape(field.description)}" if field.description else ""
    return f"[bold cyan]{name}[/]: {_type(field.annotation)}{default}{meaning}".replace("\n", " ")


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    return "" if isinstance(value, BaseModel) else escape(f" = {value}")


def _summary(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().splitlines()[0]


def _type(annotation: Any) -> str:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _type(get_args(annotation)[0])
    if origin is Literal:
        return " | ".join(map(str, get_args(annotation)))
    if annotation is type(None):
        return "none"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "mapping"
    arguments = [_type(a) for a in get_args(annotation) if a is not ...]
    if origin is dict:
        return "mapping of names"
    if origin is tuple:
        return f"list of {arguments[0]}"
    if arguments:
        return " | ".join(dict.fromkeys(arguments))
    return str(getattr(annotation, "__name__", annotation))


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _models(argument)]
