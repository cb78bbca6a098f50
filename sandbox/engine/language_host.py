"""`pulumi-language-python` for an engine that was built from source.

The official language host is not published as a Go module; the SDK's own LanguageServer does the work here. An official
`pulumi` brings its own language host and never starts this one.
"""

from __future__ import annotations

import os
import runpy
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

SDK_VERSION = "3.259.0"
MAX_MESSAGE = 400 * 1024 * 1024


class LanguageHost(LanguageServer):
    """Runs the program in this process, and policy packs as processes of their own."""

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
        del request.args[:]
        request.args.append(self.engine)
        self.program = lambda: runpy.run_path(str(program), run_name="__main__") and None
        return super().Run(request, context)

    def RunPlugin(self, request: Any, context: Any) -> Any:
        """Stream the output of a policy pack, then its exit code."""
        if request.kind != "analyzer":
            context.abort(grpc.StatusCode.UNIMPLEMENTED, f"plugins of kind {request.kind!r} cannot be run")
        command = [sys.executable, "-m", "pulumi.policy", *request.args, request.info.program_directory]
        process = subprocess.Popen(  # noqa: S603 - our own interpreter on the pack that the user named
            command,
            cwd=request.pwd or None,
            env={**os.environ, **dict(item.split("=", 1) for item in request.env)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        stream = process.stdout
        assert stream is not None  # noqa: S101 - PIPE was asked for
        while chunk := stream.read1(65536):
            yield language_pb2.RunPluginResponse(stdout=chunk)
        yield language_pb2.RunPluginResponse(exitcode=process.wait())


def _exit_with_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(0)


def main() -> None:
    """Serve on a free loopback port until the engine ends. The engine's address is the last argument."""
    engine = next((argument for argument in reversed(sys.argv[1:]) if not argument.startswith("-")), "")
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    options = [("grpc.max_receive_message_length", MAX_MESSAGE), ("grpc.max_send_message_length", MAX_MESSAGE)]
    server = grpc.server(ThreadPoolExecutor(max_workers=8), options=options)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(LanguageHost(engine), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    threading.Thread(target=_exit_with_parent, args=(os.getppid(),), daemon=True).start()
    server.wait_for_termination()


if __name__ == "__main__":
    main()
