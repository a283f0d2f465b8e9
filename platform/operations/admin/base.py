"""Pages that show rows and change none. Changes are acts, which ask for a reason and write it to the audit log."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import wraps
from typing import Any, ClassVar, cast
from uuid import uuid4

import stripe
from django import forms
from django.contrib import messages
from django.core.exceptions import FieldDoesNotExist, PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import cached_property
from unfold.admin import ModelAdmin
from unfold.decorators import action
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminTextareaWidget

from accounts.organizations import Refused
from billing.audit import Operator
from billing.booking import CauseTaken
from billing.reservations import InsufficientCredit
from operations import four_eyes, roles, stepping_up
from operations.roles import Act

MOST_ROWS = 1_000
"""Older rows are found by searching: far pages are slow and help nobody."""
PREFIXES = ("req_", "chatcmpl-", "audio_", "org_", "sk-")
REFUSALS = (ValueError, ValidationError, InsufficientCredit, CauseTaken, Refused, stripe.StripeError)


class ShortPaginator(Paginator):  # type: ignore[type-arg]
    @cached_property
    def count(self) -> int:
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]
        return rows[:MOST_ROWS].count()


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Recorded in the audit log with your name.",
    )

    @classmethod
    def initial_of(cls, row: Any) -> dict[str, Any]:
        """The form's initial values, from the row."""
        return {}


class AmountForm(ReasonForm):
    amount = forms.DecimalField(
        min_value=Decimal("0.01"),
        max_digits=12,
        decimal_places=2,
        widget=UnfoldAdminDecimalFieldWidget(),
        help_text="US dollars.",
    )
    # Makes a repeated submission idempotent.
    cause = forms.CharField(max_length=100, widget=forms.HiddenInput, initial=lambda: f"operator:{uuid4()}")
    field_order = ("amount", "reason")


class Looked(ModelAdmin):  # type: ignore[misc]  # it has no types
    """A list and a page of each row.

    `found_by` are indexed columns, which a search matches as a whole; `found_in` are texts that it matches a part
    of, in any case. They belong to tables that grow with customers, not with requests.
    """

    found_by: ClassVar[tuple[str, ...]] = ()
    found_in: ClassVar[tuple[str, ...]] = ()
    paginator = ShortPaginator
    list_per_page = 50
    show_full_result_count = False
    actions = None
    list_display_links: Any = None

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return roles.may(request.user, Act.LOOK)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def beside(self, row: Any) -> dict[str, Any]:
        """The context of `change_form_before_template`, above a row's columns."""
        return {}

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id) if self.change_form_before_template else None
        context = {**(extra_context or {}), **(self.beside(row) if row else {})}
        response: HttpResponse = super().change_view(request, object_id, form_url, context)
        return response

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return (*self.found_by, *self.found_in)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """The acts that this person may do, and that the row's state allows."""
        row = self.get_object(request, str(object_id))
        return [
            each
            for each in super().get_actions_detail(request, object_id)
            if roles.may(request.user, each.method.needs) and row is not None and each.method.fits(row)
        ]

    def get_actions_list(self, request: HttpRequest) -> list[Any]:
        return [each for each in super().get_actions_list(request) if roles.may(request.user, each.method.needs)]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        wanted = Q(pk__in=[])
        for name in self.found_by:
            if (value := self._value(name, term)) is not None:
                wanted |= Q(**{name: value})
        for name in self.found_in:
            wanted |= Q(**{f"{name}__icontains": term})
        return queryset.filter(wanted), any("__" in name for name in self.found_in)  # a join may repeat rows

    def _value(self, name: str, term: str) -> Any:
        """The term as a value of that column; None if it cannot be one."""
        path = name.split("__")[0]
        try:
            column: Any = self.model._meta.get_field(path)
        except FieldDoesNotExist:
            return None
        column = getattr(column, "target_field", column)
        for prefix in PREFIXES:
            term = term.removeprefix(prefix)
        try:
            return column.to_python(term)
        except ValidationError:
            return None


Perform = Callable[[Any, Any, Operator, dict[str, Any]], str]


def act(
    title: str,
    needs: Act,
    form: type[ReasonForm] = ReasonForm,
    then: str = "",
    fits: Callable[[Any], bool] = lambda row: True,
) -> Callable[[Perform], Callable[..., Any]]:
    """Make a page of a function of (row, operator, form's data) that performs an act and returns what it did.

    Args:
        then: the page to show next; by default the row's own. An act of the list (`actions_list`) has no row
            (None), and the list is shown next.
        fits: whether the act is offered for a row. The function itself refuses what the row's state forbids.
    """

    def decorate(perform: Perform) -> Callable[..., Any]:
        @wraps(perform)
        def page(self: Looked, request: HttpRequest, object_id: str | None = None) -> HttpResponse:
            if not roles.may(request.user, needs):
                raise PermissionDenied(f"Your role does not allow you to {needs}.")
            if (elsewhere := stepping_up.demand(request, needs)) is not None:
                return elsewhere
            row = self.get_object(request, object_id) if object_id else None
            if object_id and row is None:
                raise Http404
            meta = self.model._meta
            pages = f"admin:{meta.app_label}_{meta.model_name}"
            back = reverse(f"{pages}_change", args=(row.pk,)) if row else reverse(f"{pages}_changelist")
            asked = form(request.POST or None, initial=form.initial_of(row))
            if request.method == "POST" and asked.is_valid():
                operator = Operator(actor=request.user.get_username(), reason=asked.cleaned_data["reason"])
                try:
                    with transaction.atomic():  # the act and its audit record
                        done = four_eyes.hold(
                            request, by=perform.__qualname__, row=row, asked=asked, needs=needs
                        ) or perform(self, row, operator, asked.cleaned_data)
                    messages.success(request, done)
                    return redirect(then, row.pk) if then and row else redirect(back)
                except REFUSALS as refusal:
                    asked.add_error(None, str(refusal) or type(refusal).__name__)
            context = {
                **self.admin_site.each_context(request),
                "title": title,
                "object": row,
                "form": asked,
                "back": back,
                "opts": meta,
            }
            return TemplateResponse(request, "operations/act.html", context)

        four_eyes.PERFORMS[perform.__qualname__] = four_eyes.Performed(perform, form, needs)
        made: Any = action(page, description=title, url_path=perform.__name__.replace("_", "-"))
        made.needs, made.fits = needs, fits
        return cast("Callable[..., Any]", made)

    return decorate
