"""The bare wheel, with what it declares and nothing more, is all a subscriber needs."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

SHARED = Path(__file__).parents[3] / "shared"
# Everything that is installed can be imported only if the bare install brings it, down to what that needs itself.
BARE = """
import re, sys
from importlib.metadata import PackageNotFoundError, packages_distributions, requires

def needs_of(name):
    try:
        return requires(name) or ()
    except PackageNotFoundError:  # what is for another Python or another system
        return ()

allowed, waiting = {"avow"}, sys.argv[2].split()
while waiting:
    name = re.match(r"[A-Za-z0-9._-]+", waiting.pop())[0].lower().replace("_", "-")
    if name not in allowed:
        allowed.add(name)
        waiting += [need for need in needs_of(name) if "extra ==" not in need]
modules = packages_distributions()

class Bare:
    def find_spec(self, name, path=None, target=None):
        owners = {owner.lower().replace("_", "-") for owner in modules.get(name.partition(".")[0], ())}
        if owners and not owners & allowed:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path[:] = [Bare(), *(f for f in sys.meta_path if "editable" not in repr(f).lower())]
sys.path[:] = [sys.argv[1], *(p for p in sys.path if "shared" not in p and "services" not in p)]
import avow
assert avow.__file__.startswith(sys.argv[1]), avow.__file__
import avow.subscriber, avow.subscriber.environment, avow.subscriber.__main__
try:
    import avow.subscriber.queue
except ModuleNotFoundError as error:
    assert error.name == "aio_pika", error.name
else:
    raise AssertionError("the bare install has a client of RabbitMQ")
for name in ("fastapi", "starlette", "uvicorn", "sqlalchemy", "asyncpg", "typer", "structlog"):
    assert name not in sys.modules, name
print("bare")
"""


def test_the_bare_wheel_subscribes_without_a_web_framework_or_a_database_driver(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=SHARED, check=True, capture_output=True, timeout=120)
    (wheel,) = tmp_path.glob("avow-*.whl")
    unpacked = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked)
    needs = tomllib.loads((SHARED / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    assert {re.split(r"[>=<]", need)[0] for need in needs} == {"httpx", "msgspec", "pydantic", "sniffio"}
    run = [sys.executable, "-c", BARE, str(unpacked), " ".join(needs)]
    done = subprocess.run(run, cwd=tmp_path, check=False, capture_output=True, text=True, timeout=120)
    assert (done.stdout, done.returncode) == ("bare\n", 0), done.stderr
