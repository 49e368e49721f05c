"""Print the documents that the installed clients ship, taken from the running package: {package: {operation: text}}."""

import importlib
import json
import sys

KINDS = ("Query", "Mutation", "Subscription")

documents = {}
for package in sys.argv[1:]:
    schema = importlib.import_module(f"{package}.api.schema")
    documents[package] = {
        name: operation.Meta.document
        for name, operation in vars(schema).items()
        if name.endswith(KINDS) and hasattr(getattr(operation, "Meta", None), "document")
    }
print(json.dumps(documents))
