"""The command line, with one module for each verb."""

from __future__ import annotations

from gc import set_threshold

import typer

from ddbench.cli import (
    compare,
    describe,
    doctor,
    export,
    fetch,
    figures,
    gallery,
    gc,
    init,
    list_,
    merge,
    plan,
    report,
    run,
    sets,
    status,
    submit,
    suites,
    verify,
    why,
)

app = typer.Typer(
    name="ddbench",
    help="A harness for generative dataset distillation: swap one component, hold everything else fixed.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.command("suites")(suites.suites)
app.command("init")(init.init)
app.command("run")(run.run)
app.command("plan")(plan.plan)
app.command("status")(status.status)
app.command("why")(why.why)
app.command("list")(list_.list_)
app.command("describe")(describe.describe)
app.command("fetch")(fetch.fetch)
app.command("report")(report.report)
app.command("compare")(compare.compare)
app.command("export")(export.export)
app.command("merge")(merge.merge)
app.command("submit")(submit.submit)
app.command("sets")(sets.sets)
app.command("figures")(figures.figures)
app.command("gallery")(gallery.gallery)
app.command("doctor")(doctor.doctor)
app.command("verify")(verify.verify)
app.command("gc")(gc.gc)

# Plans are millions of objects without cycles: the collector's default takes a sixth of the time to find nothing.
set_threshold(100_000, 50, 100)

__all__ = ["app"]
