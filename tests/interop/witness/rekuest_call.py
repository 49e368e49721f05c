"""Call the action whose name is the first argument with the JSON object of the second; print what it returned."""

import json
import os
import sys

from arkitekt_next import call, easy
from rekuest_next.api.schema import list_actions

name, arguments = sys.argv[1], json.loads(sys.argv[2])
with easy("org.example.caller", url=os.environ["FAKTS_URL"], redeem_token=os.environ["FAKTS_REDEEM_TOKEN"]):
    from rekuest_next.api.schema import find

    listed = [action for action in list_actions() if action.name == name]
    action = find(id=listed[0].id)
    try:
        report = {"returned": call(action, **arguments)}
    except Exception as error:  # noqa: BLE001 - the report says what was raised
        report = {"raised": type(error).__name__, "message": str(error)}
print("REPORT " + json.dumps(report, default=str))
