"""A page as a tree, strict about what browsers forgive."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset({"br", "col", "hr", "img", "input", "link", "meta", "path", "circle"})
HIDDEN = frozenset({"script", "style", "template"})


@dataclass
class Node:
    """One element: its attributes, and what stands in it."""

    tag: str
    attrs: dict[str, str] = field(default_factory=dict)
    children: "list[Node | str]" = field(default_factory=list)

    def walk(self) -> "Iterator[Node]":
        """Give this element and all in it, in the order of the page."""
        yield self
        for child in self.children:
            if isinstance(child, Node):
                yield from child.walk()

    def all(self, tag: str = "", **attrs: str | bool) -> "list[Node]":
        """List the elements of a tag with these attributes; True asks that one is there."""
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attrs.items()}
        return [
            one
            for one in self.walk()
            if (not tag or one.tag == tag)
            and all(
                name in one.attrs if value is True else one.attrs.get(name) == value
                for name, value in wanted.items()
            )
        ]

    def one(self, tag: str = "", **attrs: str | bool) -> "Node":
        """Give the only such element."""
        found = self.all(tag, **attrs)
        assert len(found) == 1, f"{len(found)} elements {tag} {attrs}"
        return found[0]

    @property
    def text(self) -> str:
        """Give the words a reader sees."""
        parts = [
            child if isinstance(child, str) else child.text
            for child in self.children
            if isinstance(child, str) or child.tag not in HIDDEN
        ]
        return " ".join(" ".join(parts).split())


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("")
        self.open = [self.root]
        self.problems: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = Counter(name for name, _ in attrs)
        self.problems += [f"<{tag}> has {n} twice" for n, count in names.items() if count > 1]
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if self.open[-1].tag == tag:
            self.open.pop()
        elif tag not in VOID:
            self.problems.append(f"</{tag}> closes <{self.open[-1].tag}>")

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.open[-1].children.append(data)


def parse(html: str) -> tuple[Node, list[str]]:
    """Read a page or a fragment; give its tree and what is wrong with it."""
    builder = _Builder()
    builder.feed(html)
    builder.close()
    ids = Counter(node.attrs["id"] for node in builder.root.walk() if "id" in node.attrs)
    twice = [f"id {one} stands {count} times" for one, count in ids.items() if count > 1]
    unclosed = [f"<{node.tag}> is not closed" for node in builder.open[1:]]
    return builder.root, builder.problems + unclosed + twice
