"""The workbench: mechanics that two or more services need, free of any rule about mail channels or messages."""

import sys

# structlog looks for rich, for a console renderer nobody uses; where it is installed it would cost each service 5 MB.
sys.modules.setdefault("rich", None)  # type: ignore[arg-type]
