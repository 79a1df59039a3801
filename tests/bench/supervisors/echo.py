"""What the tests of the enclosure run instead of a measurement."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

if __name__ == "__main__":
    request = json.loads(sys.argv[1])
    orphan = subprocess.Popen(["sleep", request["sleep"]], start_new_session=True)
    if request["way"] == "fail":
        sys.exit("cannot measure that")
    while request["way"] == "hang":
        time.sleep(600)
    print(json.dumps({"pid": os.getpid(), "folder": request["folder"]}))
    if os.geteuid() != 0:
        orphan.kill()
