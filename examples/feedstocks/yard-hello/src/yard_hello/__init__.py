"""Says good day in several languages."""

import platform
from importlib import metadata, resources

import click
import yaml

__version__ = "1.0.0"


def greetings() -> dict[str, str]:
    """The greeting of each language."""
    loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
    with resources.files(__name__).joinpath("greetings.yaml").open("rb") as text:
        return yaml.load(text, Loader=loader)


@click.command()
@click.argument("name", default="yard")
@click.option("--language", default="en", show_default=True, type=click.Choice(sorted(greetings())))
@click.version_option(__version__)
def main(name: str, language: str) -> None:
    """Say good day to NAME, and say what it took."""
    click.echo(greetings()[language].format(name=name) + ".")
    parser = "PyYAML " + yaml.__version__
    if yaml.__with_libyaml__:
        from yaml import _yaml

        parser += " with LibYAML " + _yaml.get_version_string()
    click.echo(f"Python {platform.python_version()}, click {metadata.version('click')}, {parser}.")
