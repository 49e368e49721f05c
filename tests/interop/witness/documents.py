"""Print the documents that the installed clients ship, taken from the running package: {package: {operation: text}}."""

import importlib
import json
import sys

documents = {}
for package in sys.argv[1:]:
    schema = importlib.import_module(f"{package}.api.schema")
    documents[package] = {
        name: value.Meta.document
        for name, value in vars(schema).items()
        if isinstance(value, type)
        and hasattr(getattr(value, "Meta", None), "document")
        and value.Meta.document.rstrip().endswith("}")
        and value.__name__ == name
        and any(word in value.Meta.document for word in ("query ", "mutation ", "subscription "))
    }
print(json.dumps(documents))
