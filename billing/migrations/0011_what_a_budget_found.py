from decimal import Decimal

from django.db import migrations, models

_BEFORE = """
UPDATE billing_budgetperiod SET spent_before = spent - coalesce((
    SELECT sum(cost) FROM billing_reservation JOIN billing_usagerecord USING (job_id)
    WHERE billing_budgetperiod.id = ANY (budgets)
), 0)
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0010_alerts")]

    operations = [
        migrations.AddField(
            model_name="budgetperiod",
            name="spent_before",
            field=models.DecimalField(
                db_default=Decimal("0"), decimal_places=9, default=Decimal("0"), max_digits=20
            ),
        ),
        migrations.RunSQL(_BEFORE, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="budgetperiod",
            constraint=models.CheckConstraint(
                condition=models.Q(spent__gte=models.F("spent_before")), name="budget_period_spent_before"
            ),
        ),
    ]
