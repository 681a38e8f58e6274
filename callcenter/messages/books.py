"""The packaged templates, checked."""

from functools import cache
from importlib import resources

from callcenter.messages.types import MessageBook, Template, TemplateUnknown
from foundation.datafiles import build, load_toml


@cache
def message_book() -> MessageBook:
    """Read templates.toml.

    Raises:
        DataFileRefused: it says something unknown or leaves something out.
    """
    file = resources.files("callcenter.messages") / "templates.toml"
    return build(MessageBook, load_toml(file), where="templates.toml")


def template_of(name: str) -> Template:
    """Give a template by its name.

    Raises:
        TemplateUnknown: there is none.
    """
    found = message_book().templates.get(name)
    if found is None:
        raise TemplateUnknown(template=name, fact="")
    return found
