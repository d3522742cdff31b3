"""The workbench: mechanics that two or more services need, free of any rule about mail channels or messages."""

import sys

# structlog looks for rich, for a console renderer, and FastStream for uvicorn, to be served by: nobody uses either, and
# where they are installed they would cost each service 5 and 3 MB. `http_server` takes uvicorn back where it is needed.
for _name in ("rich", "uvicorn"):
    sys.modules.setdefault(_name, None)  # type: ignore[arg-type]  # None is how Python says there is none
