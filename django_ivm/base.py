"""`IncrementalView`: the model class a user derives a view from.

The metaclass does at class creation whatever needs no database: `managed = False`, the options of `class
IVM`, the one source of the query, the surrogate key. What needs apps or a database is in `definition`,
`checks` and the engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from django.db import models
from django.db.models.base import ModelBase
from django.db.models.query_utils import DeferredAttribute

from .errors import DefinitionError, ReadOnlyViewError
from .reading import FreshQuerySet

if TYPE_CHECKING:
    from .engine.results import Explanation, RefreshResult, VerifyResult, ViewStatus

_T = TypeVar("_T", bound=models.Model)

MODES = ("immediate", "commit", "deferred", "manual")
STRATEGIES = ("auto", "incremental", "full")
ON_ERROR = ("raise", "stale")
PREFERENCES = ("auto", "state", "recompute")
SOURCES = ("get_queryset", "sql", "sql_file")
METHODS = ("refresh", "verify", "explain", "status", "is_fresh")
# Options with a settled meaning that no release has yet, and the one value that asks for nothing.
_RESERVED: dict[str, Any] = {"prefix": "", "hidden": False, "depends_on": (), "stored": True}


@dataclass(frozen=True, slots=True)
class ViewOptions:
    """What a view's `class IVM` says, checked."""

    mode: str = "immediate"
    strategy: str = "auto"
    on_error: str = "raise"
    prefer: str = "auto"
    using: str | None = None
    schema: str | None = None
    grants: tuple[str, ...] = ()


def parse_options(owner: str, ivm: type | None) -> ViewOptions:
    """Check a nested `class IVM`; raises DefinitionError for an unknown key or a value outside its
    choices.
    """
    if ivm is None:
        return ViewOptions()
    given = {key: getattr(ivm, key) for key in dir(ivm) if not key.startswith("_")}
    known = [*ViewOptions.__dataclass_fields__, *_RESERVED]
    for key, value in given.items():
        if key not in known:
            raise DefinitionError(
                f"{owner}: class IVM has no option {key!r}.",
                code="unknown-option",
                hint=f"Known options: {', '.join(known)}.",
            )
        if key in _RESERVED and value not in (None, _RESERVED[key], list, []):
            raise DefinitionError(
                f"{owner}: the option {key!r} of class IVM is not available yet.",
                code="option-not-available",
                hint=f"Remove it from class IVM of {owner}.",
            )
    allowed = {"mode": MODES, "strategy": STRATEGIES, "on_error": ON_ERROR, "prefer": PREFERENCES}
    for key, choices in allowed.items():
        if key in given and given[key] not in choices:
            raise DefinitionError(
                f"{owner}: {key} = {given[key]!r} in class IVM is none of its choices.",
                code="bad-option",
                hint=f"Use one of {', '.join(map(repr, choices))}.",
            )
    for key in ("using", "schema"):
        if given.get(key) is not None and not (isinstance(given[key], str) and given[key].strip()):
            raise DefinitionError(f"{owner}: {key} in class IVM must be a name.", code="bad-option")
    grants = given.get("grants") or ()
    if isinstance(grants, str):
        grants = (grants,)
    if not (isinstance(grants, list | tuple) and all(isinstance(role, str) and role for role in grants)):
        raise DefinitionError(f"{owner}: grants in class IVM must be a list of role names.", code="bad-option")
    values = {key: value for key, value in given.items() if key not in _RESERVED}
    return ViewOptions(**{**values, "grants": tuple(grants)})


def find_source(model: type) -> str:
    """Which of get_queryset, sql, sql_file defines the view: the nearest class that has one decides.

    Raises DefinitionError when none or several are there, or when it is of the wrong kind.
    """
    for klass in model.__mro__:
        # A field may be called like a source; on the class it is then a descriptor, not a definition.
        found = [
            name
            for name in SOURCES
            if vars(klass).get(name) is not None and not isinstance(vars(klass)[name], DeferredAttribute)
        ]
        if len(found) > 1:
            raise DefinitionError(
                f"{model.__name__} has several definitions: {', '.join(found)}.",
                code="several-definitions",
                hint="Keep exactly one of get_queryset(), sql and sql_file.",
            )
        if not found:
            continue
        value = vars(klass)[found[0]]
        if found[0] == "get_queryset":
            if not isinstance(value, classmethod | staticmethod):
                raise DefinitionError(
                    f"{model.__name__}.get_queryset must be a classmethod or a staticmethod.",
                    code="bad-definition",
                    hint="Write @classmethod above it.",
                )
        elif not isinstance(value, str) or not value.strip():
            raise DefinitionError(
                f"{model.__name__}.{found[0]} must be a text that isn't empty.", code="bad-definition"
            )
        return found[0]
    raise DefinitionError(
        f"{model.__name__} has no definition.",
        code="no-definition",
        hint='Write exactly one of a classmethod get_queryset(), sql = "SELECT …" or sql_file = "….sql".',
    )


class ViewBase(ModelBase):
    """Metaclass of views."""

    def __new__(mcs, name: str, bases: tuple[type, ...], attrs: dict[str, Any], **kwargs: Any) -> Any:
        if any(isinstance(base, ViewBase) for base in bases):
            attrs["Meta"] = _unmanaged(name, bases, attrs.get("Meta"))
        return super().__new__(mcs, name, bases, attrs, **kwargs)

    def _prepare(cls) -> None:
        # Django calls this once per concrete model, after its fields are there and before it is registered:
        # the last moment to add a key, and the first to refuse a view.
        opts = cls._meta  # type: ignore[attr-defined]
        if not opts.proxy:
            if opts.parents:
                parent = next(iter(opts.parents)).__name__
                raise DefinitionError(
                    f"{cls.__name__} inherits from the concrete model {parent}, which has its own table.",
                    code="concrete-parent",
                    hint="Share fields through an abstract base class, or use Meta.proxy = True.",
                )
            cls._ivm_options = parse_options(cls.__name__, getattr(cls, "IVM", None))
            cls._ivm_source = find_source(cls)
            cls._ivm_surrogate = None
            if opts.pk is None:
                _add_surrogate(cls)
            if cls._ivm_options.schema and '"' not in opts.db_table:
                # The one spelling of a qualified name that every part of Django passes through untouched.
                opts.db_table = f'"{cls._ivm_options.schema}"."{opts.db_table}"'
                opts.original_attrs["db_table"] = opts.db_table
        super()._prepare()  # type: ignore[misc]


def _unmanaged(name: str, bases: tuple[type, ...], meta: type | None) -> type:
    """The `class Meta` of a view, with `managed = False`: no migration may create or alter its table."""
    if meta is None:
        # What Django itself would inherit: the nearest abstract base's Meta. Ours has nothing to hand down.
        ours = [base for base in bases if isinstance(base, ViewBase)]
        meta = next((base.Meta for base in bases if hasattr(base, "Meta")), object)
        if any(base.__module__ == __name__ and base.Meta is meta for base in ours):
            meta = object
    if getattr(meta, "managed", False):
        raise DefinitionError(
            f"{name}: Meta.managed = True, but a view's table is made by ivm_install, not by migrations.",
            code="managed",
            hint="Remove managed from its class Meta.",
        )
    return type("Meta", (meta,), {"managed": False})


def _add_surrogate(cls: Any) -> None:
    if any(field.name == "id" for field in cls._meta.local_fields):
        raise DefinitionError(
            f"{cls.__name__} has a field id that isn't its primary key.",
            code="id-not-key",
            hint="Write primary_key=True on it, or rename it and the query's output.",
        )
    # auto_created would sort it first, but the table has it last, after the query's own columns.
    key = models.BigAutoField(verbose_name="ID", primary_key=True, serialize=False, editable=False)
    cls.add_to_class("id", key)
    cls._ivm_surrogate = "id"


def _refuse(model: type[models.Model], call: str) -> NoReturn:
    from .definition import source_labels

    try:
        sources = ", ".join(source_labels(model))
    except Exception:  # noqa: BLE001 -- the refusal matters more than its hint
        sources = ""
    where = f" ({sources})" if sources else ""
    raise ReadOnlyViewError(
        f"{model.__name__} is a view that the database keeps up to date: {call}() can't write to it.",
        code="read-only",
        hint=f"Write to the tables its query reads{where}; the view follows by itself.",
    )


def _refusing(call: str) -> Any:
    def method(self: Any, *args: Any, **kwargs: Any) -> NoReturn:
        _refuse(self.model, call)

    method.__name__ = call
    method.__doc__ = "Refused: a view can't be written to. Raises ReadOnlyViewError."
    method.alters_data = True  # type: ignore[attr-defined]  # templates must not call it
    return method


class ViewQuerySet(FreshQuerySet[_T]):
    """A queryset that only reads. The async writers of QuerySet call these, so they are refused too."""

    create = _refusing("create")
    get_or_create = _refusing("get_or_create")
    update_or_create = _refusing("update_or_create")
    bulk_create = _refusing("bulk_create")
    bulk_update = _refusing("bulk_update")
    update = _refusing("update")
    delete = _refusing("delete")
    delete.queryset_only = True


class ViewManager(models.Manager.from_queryset(ViewQuerySet)):  # type: ignore[misc]
    """The default manager of views; reads from `IVM.using` unless another database is asked for."""

    def get_queryset(self) -> ViewQuerySet[Any]:
        queryset = super().get_queryset()
        using = getattr(self.model, "_ivm_options", ViewOptions()).using
        return queryset.using(using) if using and self._db is None else queryset


class IncrementalView(models.Model, metaclass=ViewBase):
    """A read-only model whose table PostgreSQL keeps equal to a query.

    A subclass has exactly one of a classmethod `get_queryset()`, `sql = "SELECT …"` or `sql_file =
    "path.sql"` (relative to the app's directory), one field per output of that query, and optionally a
    nested `class IVM`. Without a declared primary key it gets a surrogate `id`. Writing raises
    ReadOnlyViewError.
    """

    if TYPE_CHECKING:
        _ivm_options: ViewOptions
        _ivm_source: str
        _ivm_surrogate: str | None

    objects = ViewManager()

    class Meta:
        abstract = True
        managed = False

    def save(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refused: a view can't be written to. Raises ReadOnlyViewError."""
        _refuse(type(self), "save")

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refused: a view can't be written to. Raises ReadOnlyViewError."""
        _refuse(type(self), "delete")

    save.alters_data = True  # type: ignore[attr-defined]
    delete.alters_data = True  # type: ignore[attr-defined]

    @classmethod
    def refresh(cls, full: bool = False, using: str | None = None, concurrently: bool = True) -> RefreshResult:
        """Bring the view up to date; `full=True` recomputes it, `concurrently=False` may lock readers
        meanwhile.

        Raises RefreshError (and logs it) when that fails, NotInstalledError when the view isn't there.
        """
        return _handle(cls, using).refresh(full=full, concurrently=concurrently)

    @classmethod
    def verify(cls, using: str | None = None, sample: int | None = None, repair: bool = False) -> VerifyResult:
        """Compare the view with its query, both ways; `sample` rows of it only, `repair=True` mends what
        differs.
        """
        return _handle(cls, using).verify(sample=sample, repair=repair)

    @classmethod
    def explain(cls, using: str | None = None) -> Explanation:
        """How the view is, or would be, kept up to date, and why not incrementally when it isn't."""
        from .definition import explain

        return explain(cls, using)

    @classmethod
    def status(cls, using: str | None = None) -> ViewStatus:
        """What the database says about the view; never raises for one that isn't installed."""
        from .definition import status

        return status(cls, using)

    @classmethod
    def is_fresh(cls, using: str | None = None) -> bool:
        """Whether the view equals its query now."""
        return bool(_handle(cls, using).is_fresh())


def _handle(model: type[models.Model], using: str | None) -> Any:
    from .definition import handle

    return handle(model, using)
