"""When DAGs and how tasks are run: tried again when a service was away, never when the same would happen again.

No DAG of its own: what the DAG files give to their tasks.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, ExceptionRetryPolicy, RetryAction, RetryRule

from notices import tell_failure
from parkindex import pipeline

# A contract that is broken today is broken in a minute; a service that is away may be back.
STEP = {
    "retries": 2,
    "retry_delay": timedelta(seconds=30),
    "retry_policy": ExceptionRetryPolicy(
        rules=[RetryRule(exception=list(pipeline.WORTH_RETRYING))], default=RetryAction.FAIL
    ),
    "multiple_outputs": False,
    "on_failure_callback": tell_failure,
}
# A verdict is a verdict: asking again until it passes would be no gate.
ONCE = STEP | {"retries": 0}
# A sensor's decorator settles by itself what its task returns.
WAIT = {name: value for name, value in STEP.items() if name != "multiple_outputs"}


def at(cron: str, interval: timedelta = timedelta()) -> CronTriggerTimetable:
    """Run at times of Shanghai, from the next one on.

    To Airflow 3.3.2 ``run_immediately=False`` means "unless the last time was a short while ago" (a tenth of the time
    between runs): started at night it would run what nobody asked for. Half a second is never that long.
    """
    return CronTriggerTimetable(
        cron,
        timezone=pipeline.BUSINESS_TIME_ZONE,
        interval=interval,
        run_immediately=timedelta(seconds=0.5),
    )
