"""The command line."""

import typer

from promograph.cli import bench, codes, demo, schema, serve, store, token

app = typer.Typer(
    name="promograph",
    help="A self-hosted promo-code engine. Settings come from PROMOGRAPH_* in the environment, or from the options.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("serve")(serve.serve)
app.command("demo")(demo.demo)
app.add_typer(token.app, name="token")
app.add_typer(codes.app, name="codes")
app.command("migrate")(store.migrate)
app.command("verify")(store.verify)
app.command("bench", epilog=bench.PARTS_LISTED)(bench.bench)
app.command("schema")(schema.schema)
app.command("plugins")(schema.plugins)


if __name__ == "__main__":
    app()
