"""The platform's S3 door: objects in a local folder, short-lived credentials for one prefix, and S3's dialect."""

from .door import BUCKETS, routes
from .grants import Grant, Grants
from .storage import Storage

__all__ = ["BUCKETS", "Grant", "Grants", "Storage", "routes"]
