"""A training folder as one file, dataset.tar: the same content gives the same bytes."""

import atexit
import os
import shutil
import tarfile
import tempfile

from failures import StepFailure

ARCHIVE = "dataset.tar"
FILES_MAX = 2_000_000


def pack(folder, target):
    """Files in the order of their paths, without times, owners or modes of this machine."""
    paths = sorted(os.path.relpath(os.path.join(root, name), folder) for root, _, names in os.walk(folder) for name in names)
    with tarfile.open(target + ".partial", "w", format=tarfile.USTAR_FORMAT) as archive:
        for path in paths:
            member = tarfile.TarInfo(path.replace(os.sep, "/"))
            full = os.path.join(folder, path)
            member.size, member.mode = os.path.getsize(full), 0o644
            with open(full, "rb") as file:
                archive.addfile(member, file)
    os.replace(target + ".partial", target)


def open_dataset(folder):
    """The training folder of an input: the folder itself, or its dataset.tar unpacked to a temporary folder."""
    archive = os.path.join(folder, ARCHIVE)
    if not os.path.isfile(archive):
        return folder
    target = tempfile.mkdtemp(prefix="dataset-", dir=os.environ.get("EDGELOOP_WORK_DIR"))
    atexit.register(shutil.rmtree, target, ignore_errors=True)
    try:
        unpack(archive, target)
    except tarfile.TarError as cause:
        raise StepFailure(f"{archive} is damaged ({cause}); run the pre-process step again") from cause
    return target


def unpack(archive, target):
    """Plain files below the target only: no links, no devices, no path that leads out."""
    root = os.path.realpath(target)
    with tarfile.open(archive) as opened:
        for count, member in enumerate(opened):
            path = os.path.realpath(os.path.join(root, member.name))
            if count >= FILES_MAX or not member.isfile() or os.path.commonpath([root, path]) != root:
                raise StepFailure(f"{archive} holds {member.name!r}, which is no plain file of a dataset; run the pre-process step again")
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with opened.extractfile(member) as source, open(path, "wb") as file:
                shutil.copyfileobj(source, file)
