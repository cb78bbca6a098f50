#!/usr/bin/env bash
# Behaviour: After a graceful shutdown by SIGTERM no code of the program runs any more, neither finally nor atexit.
# Package: uvicorn
# Version: 0.54.0
# Date: 2026-11-29
# Expected: SIGTERM makes uvicorn.run shut down gracefully and return. A finally around it and functions registered with
#   atexit run, and the exit code is 0.
# Observed: uvicorn shuts down, restores the previous signal handlers, and raises SIGTERM again. Python's default
#   handler ends the process at once, with exit code -15 (143 in a shell). Only the lifespan of the application runs.
#   With a handler that calls sys.exit, set before uvicorn.run, all of it runs.
# Consequence: Kubernetes stops a pod by SIGTERM. Code after uvicorn.run flushes no buffer and removes no file, while a
#   test that stops the server with Ctrl+C sees it all run.
# Output:
#   uvicorn 0.54.0
#   SIGTERM: exit code -15, ran: lifespan
#   SIGTERM, a handler of one's own: exit code 0, ran: lifespan, finally, atexit
#   SIGINT: exit code 0, ran: lifespan, finally, atexit
# See: https://github.com/Kludex/uvicorn/pull/1600
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --no-compile uvicorn==0.54.0
cat >server.py <<'END'
import asyncio, atexit, os, signal, sys, uvicorn

async def application(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.complete"})
    asyncio.get_running_loop().call_later(1, os.kill, os.getpid(), getattr(signal, sys.argv[1]))
    await receive()
    print("lifespan", flush=True)
    await send({"type": "lifespan.shutdown.complete"})

if sys.argv[2:]:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
atexit.register(print, "atexit", flush=True)
try:
    uvicorn.run(application, port=0, log_level="warning")
finally:
    print("finally", flush=True)
END
venv/bin/python - <<'END'
import importlib.metadata, subprocess, sys

print("uvicorn", importlib.metadata.version("uvicorn"))
everything = ["lifespan", "finally", "atexit"]
for arguments, expected in (
    (["SIGTERM"], (-15, ["lifespan"])),
    (["SIGTERM", "a handler of one's own"], (0, everything)),
    (["SIGINT"], (0, everything)),
):
    ended = subprocess.run([sys.executable, "server.py", *arguments], stdout=subprocess.PIPE, text=True, timeout=60)
    seen = ended.returncode, ended.stdout.split()
    print(f"{', '.join(arguments)}: exit code {seen[0]}, ran: {', '.join(seen[1])}")
    if seen != expected:
        sys.exit(f"changed: expected was {expected}")
END
