"""Words of the wire: pydantic models without I/O. Import the module that you need, e.g. ``models.mikro``."""
