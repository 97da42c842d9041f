"""Options of a build that is handed over: AXI4-Stream, and packages."""

from pathlib import Path
from typing import Annotated

from typer import Option

from sylvan.model.errors import UserError

AXI_HELP = (
    "Write core_axi.v as well, which has the core inside and AXI4-Stream outside: docs/package.md."
)
PACKAGE_HELP = (
    "Make DIR/package for somebody who has Verilog tools only, simulated before it is handed over: "
    "plain, or fusesoc, with a core description: docs/package.md."
)
NAME_HELP = "What the package is called, and its modules after it; as the folder by default."
Axi = Annotated[bool, Option("--axi", help=AXI_HELP)]
PackageKind = Annotated[str | None, Option(help=PACKAGE_HELP, metavar="KIND")]
PackageName = Annotated[str | None, Option(help=NAME_HELP)]


def check_handed_over(kind: str | None, name: str | None, out: Path, state_port: bool) -> str:
    """The name of the package, if one is asked for that there can be.

    Raises UserError otherwise, before anything is built.
    """
    if kind is None:
        if name is not None:
            raise UserError("--name is that of a package: give --package as well, or neither")
        return ""
    from ..ip.package import check_package

    called = out.name if name is None else name
    check_package(kind, called, state_port)
    return called
