"""The command line, with one module for each verb."""

from __future__ import annotations

from gc import set_threshold
from typing import Annotated

import typer

from ddbench.cli import (
    check,
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
    new,
    plan,
    report,
    run,
    schema,
    sets,
    status,
    submit,
    suites,
    verify,
    why,
)
from ddbench.cli.command import with_plugins

app = typer.Typer(
    name="ddbench",
    help="A harness for generative dataset distillation: swap one component, hold everything else fixed.",
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)


@app.callback()
def _without_verb(
    ctx: typer.Context, version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False
) -> None:
    if version:
        from ddbench import __version__

        print(f"ddbench {__version__}")
        raise typer.Exit
    if ctx.invoked_subcommand is None:
        print(ctx.get_help(), end="")


app.command("suites")(with_plugins(suites.suites))
app.command("init")(with_plugins(init.init))
app.command("new")(with_plugins(new.new))
app.command("run")(with_plugins(run.run))
app.command("plan")(with_plugins(plan.plan))
app.command("status")(with_plugins(status.status))
app.command("why")(with_plugins(why.why))
app.command("list")(with_plugins(list_.list_))
app.command("describe")(with_plugins(describe.describe))
app.command("schema")(with_plugins(schema.schema))
app.command("check")(with_plugins(check.check))
app.command("fetch")(with_plugins(fetch.fetch))
app.command("report")(with_plugins(report.report))
app.command("compare")(with_plugins(compare.compare))
app.command("export")(with_plugins(export.export))
app.command("merge")(with_plugins(merge.merge))
app.command("submit")(with_plugins(submit.submit))
app.command("sets")(with_plugins(sets.sets))
app.command("figures")(with_plugins(figures.figures))
app.command("gallery")(with_plugins(gallery.gallery))
app.command("doctor")(with_plugins(doctor.doctor))
app.command("verify")(with_plugins(verify.verify))
app.command("gc")(with_plugins(gc.gc))

# Plans are millions of objects without cycles: the collector's default takes a sixth of the time to find nothing.
set_threshold(100_000, 50, 100)

__all__ = ["app"]
