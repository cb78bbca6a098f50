"""`pulumi-language-python` for an engine that was built from source.

The official language host is not published as a Go module, so this one uses the SDK's own LanguageServer. An official
`pulumi` brings its own language host and never starts this one.
"""

from __future__ import annotations

import asyncio
import contextvars
import io
import logging
import os
import re
import runpy
import subprocess
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import grpc
from pulumi import log
from pulumi.automation._server import LanguageServer
from pulumi.errors import RunError
from pulumi.runtime import reset_options, run_in_stack, set_all_config
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from mlp_sandbox.serving import serve

SDK_VERSION = "3.259.0"


class LanguageHost(LanguageServer):
    """Language host that runs the program in this process, and each policy pack in a process of its own."""

    def __init__(self, engine: str) -> None:
        super().__init__(lambda: None)
        self.engine = engine

    def Handshake(self, request: Any, context: Any) -> Any:
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=SDK_VERSION)

    def Run(self, request: Any, context: Any) -> Any:
        folder, entry = request.info.program_directory, request.info.entry_point
        program = Path(folder) / (entry if entry not in ("", ".") else "__main__.py")
        os.chdir(folder)
        for path in (request.info.root_directory, folder):
            if path and path not in sys.path:
                sys.path.insert(0, path)
        reset_options(
            project=request.project,
            monitor_address=request.monitor_address,
            engine_address=self.engine,
            stack=request.stack,
            parallel=request.parallel,
            preview=request.dryRun,
            organization=request.organization or "organization",
        )
        set_all_config(dict(request.config), list(request.configSecretKeys))
        said = contextvars.copy_context().run(_run, program, max(request.parallel, 1) * 4)
        if said:
            log.error(said)
        return language_pb2.RunResponse(bail=bool(said))  # bail: the error was already shown

    def RunPlugin(self, request: Any, context: Any) -> Any:
        """Stream the output of a policy pack, then its exit code."""
        if request.kind != "analyzer":
            context.abort(grpc.StatusCode.UNIMPLEMENTED, f"plugins of kind {request.kind!r} cannot be run")
        command = [sys.executable, "-m", "pulumi.policy", *request.args, request.info.program_directory]
        process = subprocess.Popen(
            command,
            cwd=request.pwd or None,
            env={**os.environ, **dict(item.split("=", 1) for item in request.env)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        stream = cast(io.BufferedReader, process.stdout)
        while chunk := stream.read1(65536):
            yield language_pb2.RunPluginResponse(stdout=chunk)
        yield language_pb2.RunPluginResponse(exitcode=process.wait())


def _execute(program: Path) -> None:
    runpy.run_path(str(program), run_name="__main__")


def _run(program: Path, workers: int) -> str | None:
    """Run the program to its end and return the message for the user when it failed, else None."""
    loop = asyncio.new_event_loop()
    loop.set_default_executor(ThreadPoolExecutor(max_workers=workers))
    try:
        loop.run_until_complete(run_in_stack(lambda: _execute(program)))
    except RunError as error:
        return str(error)
    except grpc.RpcError as error:
        # An engine that was told to stop ends before the program does.
        return None if error.code() == grpc.StatusCode.UNAVAILABLE else f"RPC error: {error.details()}"
    except Exception as error:
        failed_call = re.search(r"returned an error: (.*)", str(error), re.DOTALL)
        return failed_call[1] if failed_call else "the program failed:\n" + "".join(_own_frames(error))
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
            with suppress(Exception, asyncio.CancelledError):
                loop.run_until_complete(task)
        loop.close()
        sys.stdout.flush()
        sys.stderr.flush()
    return None


def _own_frames(error: Exception) -> list[str]:
    """Return the lines of the traceback from the program's first line on."""
    shown = traceback.TracebackException.from_exception(error)
    start = next((i for i, frame in enumerate(shown.stack) if frame.filename.endswith("/__main__.py")), 0)
    shown.stack = traceback.StackSummary.from_list(list(shown.stack)[start:])
    return list(shown.format())


def main() -> None:
    """Serve on a free loopback port until the engine ends. The engine's address is the last argument."""
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # their awaiter reports failed calls once
    engine = next((argument for argument in reversed(sys.argv[1:]) if not argument.startswith("-")), "")
    host = LanguageHost(engine)
    serve(lambda server: language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server), workers=8)


if __name__ == "__main__":
    main()
