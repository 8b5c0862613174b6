"""Whether files are there, as far as mounts show it."""

from __future__ import annotations

from meshcheck.model.nginx import Mount, MountedFile


def mount_of(mounts: tuple[Mount, ...], path: str) -> Mount | None:
    """The mount in which a path lies; None where it is the image's."""
    return next((m for m in mounts if path == m.path or path.startswith(m.path.rstrip("/") + "/")), None)


def file_at(mounts: tuple[Mount, ...], path: str) -> MountedFile | None:
    """A file of a ConfigMap."""
    mount = mount_of(mounts, path)
    return (mount.files or {}).get(path) if mount is not None else None


def there(mounts: tuple[Mount, ...], path: str, kind: str = "e") -> bool | None:
    """Whether a file (`f`), a folder (`d`) or either (`e`) is there; None where the input does not show it."""
    path = path.rstrip("/") or "/"
    mount = mount_of(mounts, path)
    if any(m.path.startswith(path.rstrip("/") + "/") for m in mounts):
        return kind in ("d", "e")  # something is mounted inside
    if mount is None or mount.files is None:
        return None
    folder = path == mount.path not in mount.files or any(name.startswith(path + "/") for name in mount.files)
    is_file = path in mount.files
    return {"f": is_file, "d": folder, "e": is_file or folder, "x": None}.get(kind)
