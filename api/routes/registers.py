"""What registers this office keeps, and what each of their actions asks for."""

from __future__ import annotations

from fastapi import APIRouter

from api.deps import OfficeDep
from api.schemas import ActionAnswer, FieldAnswer, RegisterAnswer
from ledger.registers import register_of_kind
from ledger.registers.forms import Form
from ledger.trust import TrustedRegister

router = APIRouter(prefix="/v1", tags=["registers"])


@router.get("/registers", summary="The registers, their fields and their actions")
def registers(office: OfficeDep) -> list[RegisterAnswer]:
    return [_register(trusted) for trusted in office.trust.registers]


def _register(trusted: TrustedRegister) -> RegisterAnswer:
    register = register_of_kind(trusted.kind)
    return RegisterAnswer(
        register=str(trusted.name),
        kind=trusted.kind,
        authority=trusted.authority_name,
        schema=register.schema.id,
        document=register.schema.document,
        subject=list(register.subject_fields),
        fields=[FieldAnswer(name=f.name, mandatory=f.mandatory, optional=f.optional) for f in register.schema.fields],
        actions=[_action(name, form) for name, form in register.forms.items()],
    )


def _action(name: str, form: Form) -> ActionAnswer:
    return ActionAnswer(
        name=name,
        summary=form.summary,
        subjects=list(form.subjects),
        records=list(form.records),
        holders=form.holders,
        details=sorted(form.asks),
    )
