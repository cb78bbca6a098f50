"""OCI image layouts, as Buildah writes them."""

import hashlib
import json
from pathlib import Path


def layout(folder: Path, *layers: bytes) -> str:
    """Write an image with these layers; returns the digest of its manifest."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def put(content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()
        (blobs / digest).write_bytes(content)
        return f"sha256:{digest}"

    manifest = {
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"digest": put(b"{}" + b"".join(layers))},
        "layers": [{"digest": put(layer)} for layer in layers],
    }
    digest = put(json.dumps(manifest).encode())
    (folder / "index.json").write_text(json.dumps({"manifests": [{"digest": digest}]}))
    return digest
