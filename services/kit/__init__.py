"""The workbench: mechanics that two or more services need, free of any rule about mail channels or messages."""
